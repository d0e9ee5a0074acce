"""Deployments as facts: the row where it says all, its reports where they have to be folded anew."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from metrics.measures.base import DeploymentFact
from promotion.models import Deployment, DeploymentReport, RollbackVerdict, RunResult, Service

from .naming import deployment_key, promotion_key, unresolved_digest

ENDED = (RunResult.SUCCEEDED, RunResult.FAILED, RunResult.CANCELLED)
# What is said of a deployment after it ended does not undo that it ended.
AFTERWARDS = (RunResult.ROLLED_BACK, RunResult.REMOVED)
COLUMNS = (
    "pk",
    "service_id",
    "service__slug",
    "environment__slug",
    "target",
    "digest",
    "artifact__name",
    "result",
    "promotion_id",
    "mechanism",
    "kind",
    "is_planned",
    "started_at",
    "finished_at",
    "received_at",
)


@dataclass(frozen=True, slots=True)
class _Ending:
    """How a deployment stood by a time; `finished_at` None: under way."""

    result: str
    finished_at: datetime | None
    received_at: datetime
    started_at: datetime


@dataclass(frozen=True, slots=True)
class _Report:
    result: str
    occurred_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    received_at: datetime


def load_deployments(
    as_of: datetime, services: Collection[int] | None = None
) -> tuple[DeploymentFact, ...]:
    """The deployments as they were known at `as_of`; removals of what nobody reported are none."""
    rows: QuerySet[Deployment] = Deployment.objects.order_by("pk")
    if services is not None:
        rows = rows.filter(service__in=services)
    several = _find_services_of_several_artifacts()
    reports = _load_reports(as_of, services)
    words = _load_words(as_of, services)
    facts = []
    for row in rows.values_list(*COLUMNS).iterator():
        key, service_id, service, environment, target, digest, name, result = row[:8]
        promotion, mechanism, kind, is_planned, started_at, finished_at, received_at = row[8:]
        if key in reports or received_at > as_of or result in AFTERWARDS:
            ending = fold_reports(reports.get(key, []))
        else:
            ending = _Ending(
                result, finished_at, received_at, started_at or finished_at or received_at
            )
        if ending is None:
            continue
        facts.append(
            DeploymentFact(
                id=deployment_key(key),
                service=service,
                environment=environment,
                digest=digest or unresolved_digest(key),
                started_at=ending.started_at,
                received_at=ending.received_at,
                finished_at=ending.finished_at,
                result=ending.result if ending.finished_at else None,
                target=target or None,
                promotion=promotion_key(promotion) if promotion else None,
                mechanism=mechanism or None,
                kind=kind or None,
                planned=words.get(key, is_planned),
                artifact=line_of(name, service_id in several),
            )
        )
    return tuple(facts)


def _load_words(as_of: datetime, services: Collection[int] | None) -> dict[int, bool]:
    """Whether a deployment was planned, where a person said so or the contrary last by `as_of`."""
    rows = RollbackVerdict.objects.filter(at__lte=as_of).order_by("at", "pk")
    if services is not None:
        rows = rows.filter(deployment__service__in=services)
    found = dict(rows.values_list("deployment_id", "word"))
    word = RollbackVerdict.Word
    return {key: said == word.DISPUTED for key, said in found.items() if said != word.WITHDRAWN}


def line_of(name: str | None, is_one_of_several: bool) -> str:
    """Which of a service's artifacts a fact is about; empty where the service has only one."""
    return (name or "").rpartition("/")[2] if is_one_of_several else ""


def _find_services_of_several_artifacts() -> frozenset[int]:
    rows = Service.objects.values_list("pk", "artifact_names")
    return frozenset(key for key, names in rows if len(names) > 1)


def _load_reports(as_of: datetime, services: Collection[int] | None) -> dict[int, list[_Report]]:
    """The reports received by `as_of` of those deployments whose row says something later."""
    wanted = Q(deployment__result__in=AFTERWARDS) | Q(deployment__received_at__gt=as_of)
    rows = DeploymentReport.objects.filter(wanted, received_at__lte=as_of)
    if services is not None:
        rows = rows.filter(deployment__service__in=services)
    found: dict[int, list[_Report]] = defaultdict(list)
    for key, result, occurred_at, started_at, finished_at, seen_at in (
        rows.order_by("occurred_at", "pk")
        .values_list(
            "deployment_id", "result", "occurred_at", "started_at", "finished_at", "received_at"
        )
        .iterator()
    ):
        found[key].append(_Report(result, occurred_at, started_at, finished_at, seen_at))
    return found


def fold_reports(reports: Iterable[_Report]) -> _Ending | None:
    """How a deployment stood after these reports, in order of occurrence; None where none says.

    The last word about its end counts; that it was rolled back or removed afterwards is no
    other end of it. Rolled back without having succeeded is a failure.
    """
    told = list(reports)
    started = [each.started_at for each in told if each.started_at] or [
        each.occurred_at for each in told if each.result not in AFTERWARDS
    ]
    ends = [each for each in told if each.result in ENDED]
    undone = [each for each in told if each.result == RunResult.ROLLED_BACK]
    if not ends and not undone:
        running = [each for each in told if each.result not in AFTERWARDS]
        if not running or len(running) < len(told):
            return None
        return _Ending(running[-1].result, None, running[-1].received_at, min(started))
    last = (ends or undone)[-1]
    finished_at = last.finished_at or last.occurred_at
    result = last.result if ends else RunResult.FAILED
    return _Ending(str(result), finished_at, last.received_at, min([*started, finished_at]))
