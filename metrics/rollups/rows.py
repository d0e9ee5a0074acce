"""A stored fact as the row the pure measure gave, at a time."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from metrics.measures.journeys import Part, in_hours
from metrics.measures.results import Row
from metrics.models import ExecutionFact, IntentFact, SpanFact, TraceFact


def _shared(fact: Any, service: str) -> dict[str, Any]:
    return {
        "unit": fact.unit,
        "service": service,
        "environment": fact.environment,
        "digest": fact.digest,
        "at": fact.at,
        "started_at": fact.started_at,
        "finished_at": fact.finished_at,
        "verdict": fact.verdict,
        "reason": fact.reason,
        "ids": tuple(fact.ids),
    }


def read_execution(fact: ExecutionFact, service: str, _: datetime) -> Row:
    """A row of measure 1."""
    return Row(
        **_shared(fact, service),
        good=fact.verdict == "automated",
        details=(("by", fact.by), ("kind", fact.kind), ("promotion", fact.promotion or None)),
    )


def read_failure(fact: ExecutionFact, service: str, as_of: datetime) -> Row:
    """A row of measure 5; what is still open lasts until `as_of`."""
    is_open = fact.has_failed and fact.recovery_hours is None
    shared = _shared(fact, service)
    shared["verdict"] = "failed" if fact.has_failed else "good"
    shared["reason"] = fact.failure if fact.has_failed else "Nothing says that it failed."
    return Row(
        **shared,
        good=fact.has_failed,
        mature=fact.mature_at <= as_of,
        hours=in_hours(as_of - fact.at) if is_open else fact.recovery_hours,
        details=(
            ("recovered", fact.has_failed and not is_open),
            ("contained", fact.is_contained),
            ("rework", fact.is_rework),
            ("kind", fact.kind),
            ("findings", tuple(tuple(each) for each in fact.findings)),
        ),
    )


def read_intent(fact: IntentFact, service: str, as_of: datetime) -> Row:
    """A row of measure 2."""
    return Row(
        **_shared(fact, service),
        good=fact.is_good,
        mature=fact.mature_at is not None and fact.mature_at <= as_of,
        details=(
            ("executed", fact.was_executed),
            ("eventual", fact.is_eventual),
            ("attempts", fact.attempts),
            ("kind", fact.kind),
        ),
    )


def read_span(fact: SpanFact, service: str, _: datetime) -> Row:
    """A row of measure 3."""
    return Row(
        **_shared(fact, service),
        good=True,
        hours=fact.hours,
        details=(
            ("until_all_hours", fact.until_all_hours),
            ("parts", tuple(Part(name, hours) for name, hours in fact.parts)),
            ("kind", fact.kind),
        ),
    )


def read_trace(fact: TraceFact, service: str, _: datetime) -> Row:
    """A row of measure 4, with all times it is counted by."""
    return Row(
        **_shared(fact, service),
        good=not fact.missing,
        also_at=times_of(fact)[1:],
        details=(
            ("missing", tuple(fact.missing)),
            ("asked", tuple(fact.asked)),
            ("complete_when_deployed", fact.was_complete),
            ("kind", fact.kind),
        ),
    )


def times_of(fact: TraceFact) -> tuple[datetime, ...]:
    """The times a release in production is counted by, earliest first."""
    return tuple(map(datetime.fromisoformat, fact.times)) or (fact.at,)


Read = Callable[[Any, str, datetime], Row]
MODELS: dict[str, type[Any]] = {
    "automated_share": ExecutionFact,
    "first_pass": IntentFact,
    "build_to_production": SpanFact,
    "traceability": TraceFact,
    "failures": ExecutionFact,
}
READS: dict[str, Read] = {
    "automated_share": read_execution,
    "first_pass": read_intent,
    "build_to_production": read_span,
    "traceability": read_trace,
    "failures": read_failure,
}
