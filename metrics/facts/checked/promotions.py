"""The promotions that started, with steps, controls, cause and action."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F

from metrics.facts.naming import promotion_key
from metrics.maturity.checks.facts import PromotionDetail
from metrics.measures.history import History
from promotion.models import Approval, Promotion, StepRun

from .controls import (
    Started,
    asks_for_risk,
    load_gates,
    load_glasses,
    load_stages,
    read_controls,
)

LOOKED_AT = timedelta(days=365)
COPIES = "oci-copy"
COLUMNS = (
    "pk",
    "service__slug",
    "environment__slug",
    "release__version",
    "kind",
    "mechanism",
    "started_at",
    "pipeline_version_id",
    "cause",
    "cause_told_at",
    "action",
)


def load_promotion_details(
    services: Iterable[int], history: History
) -> tuple[PromotionDetail, ...]:
    """The services' promotions started by the history's as-of; six queries."""
    at = history.as_of
    keys = list(services)
    since = at - LOOKED_AT
    gates, glasses = load_gates(keys, since, at), load_glasses(keys, at)
    stages, steps = load_stages(keys), _load_steps(keys, since, at)
    ready = _load_readiness(keys, at)
    details = []
    rows = Promotion.objects.filter(service__in=keys, started_at__lte=at).order_by("pk")
    for row in rows.values_list(*COLUMNS).iterator():
        key, service, environment, version, kind, mechanism, started_at, *told = row
        pipeline, cause, cause_told_at, action = told
        fact = history.knowledge.promotions.get(promotion_key(key))
        if fact is None:  # quarantined, or of no known place
            continue
        stage = stages.get((pipeline, environment))
        done = steps.get(key, {})
        started = Started(key, kind, started_at, fact.approvals)
        is_told = cause_told_at is not None and cause_told_at <= at
        compared = {gate for gate, when in gates.compared.get(key, ()) if when <= started_at} | {
            each for each in (COPIES,) if each in done
        }
        if _has_signature(history, fact.digests or {fact.digest}, started_at):
            compared.add("signature")
        details.append(
            PromotionDetail(
                id=fact.id,
                number=key,
                service=service,
                environment=environment,
                version=version,
                kind=kind,
                state=fact.state,
                mechanism=mechanism,
                started_at=started_at,
                ended_at=fact.ended_at,
                steps=frozenset(done),
                verified_by=tuple(sorted(compared)),
                controls=read_controls(started, stage, gates, glasses),
                has_cause=is_told and cause not in ("", Promotion.Cause.UNKNOWN),
                has_action=is_told and bool(action.strip()),
                strategy=(stage.strategy or "") if stage is not None else "",
                asks_for_risk=asks_for_risk(stage),
                has_readiness=key in ready,
            )
        )
    return tuple(details)


def _has_signature(history: History, digests: Iterable[str], before: datetime) -> bool:
    """Every digest has a signature that we verified before the promotion started."""
    found = [history.verified.get((digest, "signature"), []) for digest in digests]
    return bool(found) and all(
        any(each.received_at <= before for each in statements) for statements in found
    )


def _load_readiness(services: list[int], at: datetime) -> frozenset[int]:
    """The promotions that started after a decision which keeps the readiness it was made on."""
    kept = Approval.objects.filter(promotion__service__in=services, at__lte=at)
    rows = kept.filter(at__lte=F("promotion__started_at")).exclude(readiness={})
    return frozenset(rows.values_list("promotion_id", flat=True))


def _load_steps(
    services: list[int], since: datetime, at: datetime
) -> dict[int, dict[str, datetime]]:
    """The kinds of the steps that succeeded, by promotion, and when."""
    rows = StepRun.objects.filter(
        promotion__service__in=services,
        promotion__started_at__gte=since,
        state=StepRun.State.SUCCEEDED,
    ).values_list("promotion_id", "kind", "finished_at")
    found: dict[int, dict[str, datetime]] = defaultdict(dict)
    for key, kind, finished_at in rows:
        if finished_at is None or finished_at <= at:
            found[key][kind] = finished_at or at
    return found
