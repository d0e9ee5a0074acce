"""What each fact adds to the sums of its day."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from metrics.models import (
    AsideFact,
    CohortFact,
    ExecutionFact,
    IntentFact,
    SpanFact,
    TraceFact,
)

from .packing import Counting, Table
from .service_facts import ServiceFacts

COHORT, ASIDE, NEGATIVE = "cohort", "aside", "negative"
MICROSECONDS = 3_600_000_000  # of an hour: parts are summed as whole numbers


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """Which sum: the measure (or cohort, aside, negative), the environment, the kind, the year."""

    measure: str
    environment: str
    kind: str
    year: int


@dataclass(frozen=True, slots=True)
class Added:
    """One unit in one sum: what it counts, and its durations in hours by series."""

    measure: str
    environment: str
    kind: str
    day: date
    counts: dict[str, int]
    values: dict[str, float]


def sum_facts(facts: ServiceFacts) -> dict[Slot, Table]:
    """The sums of a service's facts, by day, a table for each slot."""
    counting: dict[Slot, Counting] = defaultdict(Counting)
    for each in tell_facts(facts):
        slot = Slot(each.measure, each.environment, each.kind, each.day.year)
        counting[slot].add(each.day, each.counts, each.values)
    return {slot: found.table() for slot, found in sorted(counting.items())}


def tell_facts(facts: ServiceFacts) -> Iterator[Added]:
    """What all facts add."""
    for execution in facts.of(ExecutionFact):
        yield _add(execution, "automated_share", count_execution(execution))
        if execution.is_production:
            hours = execution.recovery_hours
            values = {} if hours is None or hours < 0 else {"recovery": hours}
            yield _add(execution, "failures", count_failure(execution), values)
    for intent in facts.of(IntentFact):
        yield _add(intent, "first_pass", count_intent(intent))
    for span in facts.of(SpanFact):
        yield _add(span, "build_to_production", count_span(span), time_span(span))
    for trace in facts.of(TraceFact):
        # What is counted by several times is once in every period, so it is no sum of days.
        if not trace.times:
            yield _add(trace, "traceability", count_trace(trace))
    for built in facts.of(CohortFact):
        yield _add_built(built)
    for aside in facts.of(AsideFact):
        if aside.cause == NEGATIVE:
            yield Added(NEGATIVE, aside.environment, aside.kind, aside.day, {"n": 1}, {})
        else:
            yield Added(ASIDE, "", aside.cause, aside.day, {"n": 1}, {})


def _add(
    fact: Any, measure: str, counts: dict[str, int], values: dict[str, float] | None = None
) -> Added:
    return Added(measure, fact.environment, fact.kind, fact.day, counts, values or {})


def count_execution(fact: ExecutionFact) -> dict[str, int]:
    """Measure 1: by class, and whose automation."""
    return {
        "n": 1,
        "good": int(fact.verdict == "automated"),
        "others": int(fact.by == "others"),
        f"verdict:{fact.verdict}": 1,
    }


def count_failure(fact: ExecutionFact) -> dict[str, int]:
    """Measure 5; what only failures have is counted of them."""
    hours = fact.recovery_hours
    return {
        "n": 1,
        "good": int(fact.has_failed),
        "rework": int(fact.is_rework),
        "contained": int(fact.has_failed and fact.is_contained),
        "open": int(fact.has_failed and hours is None),
        "negative": int(hours is not None and hours < 0),
        f"verdict:{'failed' if fact.has_failed else 'good'}": 1,
    }


def count_intent(fact: IntentFact) -> dict[str, int]:
    """Measure 2: the rungs of its ladder."""
    return {
        "n": 1,
        "good": int(fact.is_good),
        "executed": int(fact.was_executed),
        "eventual": int(fact.is_eventual),
        f"verdict:{fact.verdict}": 1,
    }


def count_span(fact: SpanFact) -> dict[str, int]:
    """Measure 3: the parts in microseconds."""
    counts = {"n": 1, f"verdict:{fact.verdict}": 1}
    for name, hours in fact.parts:
        counts[f"part:{name}"] = counts.get(f"part:{name}", 0) + round(hours * MICROSECONDS)
    return counts


def time_span(fact: SpanFact) -> dict[str, float]:
    """Measure 3: its durations."""
    values = {"hours": fact.hours}
    if fact.until_all_hours is not None:
        values["until_all"] = fact.until_all_hours
    if fact.verdict == "hotfix":
        values["hotfix"] = fact.hours
    return values


def count_trace(fact: TraceFact) -> dict[str, int]:
    """Measure 4: the links asked for and missing."""
    return {
        "n": 1,
        "good": int(not fact.missing),
        "strict": int(fact.was_complete),
        f"verdict:{fact.verdict}": 1,
        **{f"missing:{link}": 1 for link in fact.missing},
        **{f"asked:{link}": 1 for link in fact.asked},
    }


def _add_built(fact: CohortFact) -> Added:
    counts = {
        "n": 1,
        "deployed": int(fact.deployed_at is not None),
        "superseded": int(fact.is_superseded),
    }
    values = {}
    if fact.deployed_at is not None:
        values["deployed"] = (fact.deployed_at - fact.at).total_seconds() / 3600
    return Added(COHORT, "", "", fact.day, counts, values)
