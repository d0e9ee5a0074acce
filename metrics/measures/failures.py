"""Measure 5: production deployments that failed, and how fast they were put right."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from metrics.measures.executions import Execution
from metrics.measures.history import History, Scope
from metrics.measures.journeys import in_hours
from metrics.measures.judgement import DISPUTED, Finding, LinkedIncident
from metrics.measures.periods import Span, span_of
from metrics.measures.results import (
    Bucket,
    Question,
    Result,
    Row,
    Summary,
    build_series,
    state_shared,
)
from metrics.measures.targets import DECLARED
from metrics.statistics import Interval, garwood, kaplan_meier, wilson

NAME = "failures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures(Result):
    """Measure 5: the count leads (`value`, Garwood interval), its rate stands beside.

    `recovery_p50_hours` is the Kaplan–Meier median over `recovered` and `open`;
    `recovery_negative` names failures whose remedy finished before they did. The rework
    rate is unplanned deployments ÷ all. Incidents without a deployment, and suspected
    or disputed ones, stand apart.
    """

    count: int | None
    rate: float | None
    rate_interval: Interval | None
    recovery_p50_hours: float | None
    recovered: int
    open: int
    recovery_negative: tuple[str, ...]
    contained: tuple[str, ...]
    rework: int
    rework_rate: float | None
    incidents_without_deployment: tuple[str, ...]
    suspected_incidents: tuple[str, ...]
    disputed_incidents: tuple[str, ...]


def _find_remedy(findings: list[Finding]) -> Execution | None:
    """The first successful rollback or hotfix that marks the failed deployment."""
    for finding in findings:
        if finding.remedy is not None and finding.remedy.succeeded:
            return finding.remedy
    return None


def _time_recovery(
    history: History, failed: Execution, findings: list[Finding]
) -> tuple[timedelta, bool]:
    """The time until it was put right, or, still open, until as_of (False)."""
    remedy = _find_remedy(findings)
    if remedy is not None:
        return remedy.finished_at - failed.finished_at, True
    resolved = [
        finding.incident.resolved_at for finding in findings if finding.incident is not None
    ]
    ended = [at for at in resolved if at is not None]
    if resolved and len(ended) == len(resolved):
        return max(ended) - failed.finished_at, True
    return history.as_of - failed.finished_at, False


def _was_contained(history: History, failed: Execution, findings: list[Finding]) -> bool:
    """Whether it was undone before every target of the environment had it."""
    remedy = _find_remedy(findings)
    targets = history.knowledge.environments[failed.environment].targets
    if remedy is None or len(targets) < 2:
        return False
    reached = {
        target
        for run in failed.runs
        if run.succeeded and run.finished_at <= remedy.finished_at
        for target in run.targets
    }
    return not set(targets) <= reached


def _is_rework(history: History, execution: Execution) -> bool:
    if execution.is_planned:
        return False
    return execution.kind in DECLARED or id(execution) in history.judgement.unplanned


def _make_row(history: History, execution: Execution) -> Row:
    findings = history.judgement.findings_on(execution)
    mature = history.knowledge.is_mature(execution.environment, execution.finished_at)
    took, recovered = (None, False)
    if findings:
        span, recovered = _time_recovery(history, execution, findings)
        took = in_hours(span)
    said = ", ".join(f"{each.kind.replace('_', '-')} {each.by} ({each.how})" for each in findings)
    return Row(
        unit=execution.id,
        service=execution.service,
        environment=execution.environment,
        digest=execution.digest,
        at=execution.finished_at,
        started_at=execution.started_at,
        finished_at=execution.finished_at,
        verdict="failed" if findings else "good",
        reason=f"Judged failed by {said}." if findings else "Nothing says that it failed.",
        good=bool(findings),
        mature=mature,
        hours=took,
        ids=execution.ids,
        details=(
            ("recovered", recovered),
            ("contained", _was_contained(history, execution, findings)),
            ("rework", _is_rework(history, execution)),
            ("kind", execution.kind),
            ("findings", tuple((each.kind, each.by, each.how) for each in findings)),
        ),
    )


def _ids(links: Iterable[LinkedIncident]) -> tuple[str, ...]:
    return tuple(sorted(link.incident.id for link in links))


def _flagged(rows: Iterable[Row], detail: str) -> list[Row]:
    return [row for row in rows if dict(row.details)[detail]]


def _state_incidents(history: History, span: Span, scope: Scope) -> dict[str, Any]:
    """The incidents opened in production in the span that are no failure of a deployment."""
    links = [
        link
        for link in history.judgement.incidents
        if span.holds(link.incident.opened_at)
        and history.is_production(link.incident.environment)
        and scope.holds(link.incident.service, link.incident.environment)
    ]
    disputed = [link for link in links if link.confidence == DISPUTED]
    suspected = [link for link in links if not link.counts and link.confidence != DISPUTED]
    alone = [link for link in links if link.counts and link.execution is None]
    return {
        "incidents_without_deployment": _ids(alone),
        "suspected_incidents": _ids(suspected),
        "disputed_incidents": _ids(disputed),
    }


def _state_recovery(failed: list[Row]) -> dict[str, Any]:
    """Kaplan–Meier over the failures, open ones censored; negative times stand apart."""
    timed = [row for row in failed if row.hours is not None and row.hours >= 0]
    recovered = {id(row) for row in _flagged(timed, "recovered")}
    curve = kaplan_meier([(row.hours or 0.0, id(row) in recovered) for row in timed])
    return {
        "recovery_p50_hours": curve.median(),
        "recovered": len(recovered),
        "open": len(timed) - len(recovered),
        "recovery_negative": tuple(row.unit for row in failed if (row.hours or 0.0) < 0),
    }


def compute(history: History, question: Question) -> Failures:
    """How many mature production deployments of the period are judged failed.

    `value` and `interval` are the count and its exact Poisson interval, `rate` a fraction
    with a Wilson interval, recovery in hours. Rows marked good are the failed ones (they
    are the numerator). Definition: measures v1.
    """
    span = span_of(question.period)
    scope = Scope(history.knowledge, question.filters)
    rows = tuple(
        _make_row(history, each)
        for each in history.executions
        if span.holds(each.finished_at)
        and history.is_production(each.environment)
        and scope.holds(each.service, each.environment, each.kind)
    )
    mature = [row for row in rows if row.mature]
    failed = [row for row in mature if row.good]
    summary = _summarise(list(rows))
    n = len(mature)
    rework = len(_flagged(mature, "rework"))
    return Failures(
        **state_shared(NAME, history, question, rows, summary, history.beside(span, scope)),
        count=len(failed) if n else None,
        rate=len(failed) / n if n else None,
        rate_interval=wilson(len(failed), n) if n else None,
        **_state_recovery(failed),
        **_state_incidents(history, span, scope),
        contained=tuple(row.unit for row in _flagged(failed, "contained")),
        rework=rework,
        rework_rate=rework / n if n else None,
    )


def _summarise(rows: list[Row]) -> Summary:
    """The count over mature rows with its Garwood interval."""
    mature = [row for row in rows if row.mature]
    if not mature:
        return Summary(0, None, None, None)
    count = sum(row.good for row in mature)
    return Summary(len(mature), count, float(count), garwood(count))


def series(result: Result, step: str) -> tuple[Bucket, ...]:
    """The count by day, week or month of the failed deployment; mature deployments only."""
    return build_series(result, step, _summarise)
