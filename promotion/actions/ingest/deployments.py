"""Deployments: append-only reports, folded by event time and rank of state."""

from datetime import datetime
from typing import Any

from promotion.models import Deployment, DeploymentReport, RunResult, Target

from .joining import join_digest
from .matching import match_promotion, strategy_of
from .recorded import Recorded, Taking, fit, nothing
from .unresolved import ask_for_version

RANK = {RunResult.QUEUED: 1, RunResult.STARTED: 2}
FINAL_RANK = 3
UNFINISHED = {RunResult.QUEUED, RunResult.STARTED}


def record_deployment(taking: Taking) -> Recorded:
    """Something was said about a deployment; the same said twice changes nothing."""
    fact = taking.fact
    service, environment = taking.service, taking.environment
    if service is None:
        return nothing(taking.placed.place.service_why, is_unmapped=True)
    if environment is None:
        return nothing(taking.placed.place.environment_why, is_unmapped=True)
    if not fact.result:
        return nothing("It does not say what became of the deployment.")
    if fact.target:
        Target.objects.get_or_create(environment=environment, name=fact.target)
    deployment, is_new = Deployment.objects.get_or_create(
        source=taking.event.source,
        external_id=fit(Deployment, "external_id", _identity(taking)),
        service=service,
        environment=environment,
        target=fact.target or "",
        defaults={"result": fact.result, "received_at": taking.received_at},
    )
    _, is_first = DeploymentReport.objects.get_or_create(
        deployment=deployment,
        result=fact.result,
        occurred_at=taking.happened_at,
        digest=fact.digest or "",
        defaults={
            "started_at": fact.started_at,
            "finished_at": fact.finished_at,
            "fact": fact.as_json(),
            "received_at": taking.received_at,
            "event": taking.event,
        },
    )
    if not is_first:
        return Recorded("unchanged", deployment, service)
    fold(deployment)
    if not deployment.digest and not deployment.candidates:
        ask_for_version(
            service,
            deployment.version,
            event=taking.event,
            seen_at=taking.happened_at,
            due_at=taking.received_at,
        )
    return Recorded(
        "created" if is_new else "updated", deployment, service, note=deployment.found_how
    )


def _identity(taking: Taking) -> str:
    """What tells this deployment from others of its lane, where the sender gives it no id."""
    fact = taking.fact
    if fact.external_id:
        return fact.external_id
    return ":".join(
        [
            fact.digest or fact.commit or fact.version or "",
            (fact.started_at or taking.happened_at).isoformat(),
        ]
    )


def fold(deployment: Deployment) -> None:
    """Computes the deployment from its reports: the latest by event time stands, of one time the further state."""
    reports = list(deployment.reports.order_by("occurred_at", "pk"))
    last = max(
        reports, key=lambda one: (one.occurred_at, RANK.get(RunResult(one.result), FINAL_RANK))
    )
    facts = [report.fact for report in sorted(reports, key=lambda one: (one.occurred_at, one.pk))]
    deployment.result = last.result
    deployment.received_at = last.received_at
    deployment.finished_at = (
        None if last.result in UNFINISHED else last.finished_at or last.occurred_at
    )
    deployment.started_at = _started_at(reports)
    for column, name in (
        ("commit", "commit"),
        ("version", "version"),
        ("mechanism", "mechanism"),
        ("kind", "deployment_kind"),
        ("actor", "actor"),
        ("run_id", "run_id"),
        ("url", "url"),
        ("promotion_named", "promotion"),
    ):
        setattr(deployment, column, fit(Deployment, column, _last_said(facts, name)))
    deployment.is_planned = bool(_last_said(facts, "planned"))
    joined = join_digest(
        deployment.service,
        digest=_last_said(facts, "digest") or "",
        version=deployment.version,
        commit=deployment.commit,
        repository=_last_said(facts, "repository") or "",
    )
    deployment.digest, deployment.artifact, deployment.release = (
        joined.digest,
        joined.artifact,
        joined.release,
    )
    deployment.found, deployment.found_how = joined.found, joined.how
    deployment.candidates = list(joined.candidates)
    deployment.promotion = match_promotion(deployment)
    told = str((_last_said(facts, "details") or {}).get("strategy") or "")[:20]
    deployment.strategy = told or strategy_of(deployment.promotion)
    deployment.save()


def _started_at(reports: list[DeploymentReport]) -> datetime | None:
    """The earliest start anybody named, else when it was first said to run, else nothing."""
    named = [one.started_at for one in reports if one.started_at]
    begun = [one.occurred_at for one in reports if one.result == RunResult.STARTED]
    return min(
        named or begun or [one.occurred_at for one in reports if one.result == RunResult.QUEUED],
        default=None,
    )


def _last_said(facts: list[dict[str, Any]], name: str) -> Any:
    return next((fact[name] for fact in reversed(facts) if fact.get(name) not in (None, "")), None)
