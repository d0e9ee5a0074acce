"""Measure 2: intents that went right the first time and stayed right."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from metrics.measures.executions import Execution
from metrics.measures.history import History, Scope
from metrics.measures.intents import Intent, find_intents
from metrics.measures.periods import span_of
from metrics.measures.results import (
    Bucket,
    Question,
    Result,
    Row,
    build_series,
    state_shared,
    summarise_share,
)
from metrics.statistics import Interval

NAME = "first_pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Counts over the same mature intents, and the share that is the measure."""

    name: str
    denominator: int
    executed: int
    soaked: int
    eventual: int
    value: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPass(Result):
    """Measure 2 with its ladder: executed first time → still good → succeeded at last.

    `production` pools the production tier, with which the page leads; `by_environment`
    shows each environment apart.
    """

    executed: int
    soaked: int
    eventual: int
    production: Ladder
    by_environment: tuple[Ladder, ...]


def _spoilt_by(history: History, execution: Execution | None) -> str:
    """What went wrong within W of the deployment, or nothing."""
    if execution is None:
        return ""
    until = execution.finished_at + history.knowledge.watch_of(execution.environment)
    for finding in history.judgement.findings_on(execution):
        if finding.at <= until:
            return f"{finding.kind.replace('_', '-')} {finding.by}"
    return ""


def _make_row(history: History, intent: Intent, executions: dict[str, Execution]) -> Row:
    first = intent.first
    execution = executions.get(first.id)
    spoilt = _spoilt_by(history, execution)
    ended = first.ended_at
    executed = first.state == "succeeded" and not first.retried_by_person
    if first.state != "succeeded":
        verdict, reason = first.state, f"Attempt 1 is {first.state}."
    elif first.retried_by_person:
        verdict, reason = "retried", "A person had a step of attempt 1 repeated."
    elif spoilt:
        verdict, reason = (
            "spoilt",
            f"It did not stay good: {spoilt} within the watch window.",
        )
    else:
        verdict, reason = "first_pass", "Attempt 1 succeeded and stayed good."
    return Row(
        unit=first.id,
        service=intent.service,
        environment=intent.environment,
        digest=first.digest,
        at=first.started_at or first.asked_at,
        started_at=first.started_at,
        finished_at=ended,
        verdict=verdict,
        reason=reason,
        good=executed and not spoilt,
        mature=ended is not None and history.knowledge.is_mature(intent.environment, ended),
        ids=tuple(attempt.id for attempt in intent.attempts),
        details=(
            ("executed", executed),
            ("eventual", intent.has_succeeded),
            ("attempts", len(intent.attempts)),
            ("kind", first.kind),
        ),
    )


def _climb(name: str, rows: Iterable[Row]) -> Ladder:
    mature = [row for row in rows if row.mature]
    details = [dict(row.details) for row in mature]
    summary = summarise_share(mature)
    return Ladder(
        name=name,
        denominator=len(mature),
        executed=sum(bool(each["executed"]) for each in details),
        soaked=sum(row.good for row in mature),
        eventual=sum(bool(each["eventual"]) for each in details),
        value=summary.value,
        interval=summary.interval,
    )


def compute(history: History, question: Question) -> FirstPass:
    """Mature intents right the first time ÷ those whose attempt 1 started in the period.

    A fraction with a Wilson interval, over every environment that the filters leave; an
    intent is mature when attempt 1 ended + W ≤ as_of. Definition: measures v1.
    """
    span = span_of(question.period)
    scope = Scope(history.knowledge, question.filters)
    executions = {each.promotion.id: each for each in history.executions if each.promotion}
    found = [
        _make_row(history, intent, executions)
        for intent in find_intents(history)
        if intent.first.started_at is not None
        and span.holds(intent.first.started_at)
        and scope.holds(intent.service, intent.environment, intent.first.kind)
    ]
    rows = tuple(sorted(found, key=lambda row: (row.at, row.unit)))
    ladder = _climb("all", rows)
    held: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        held[row.environment].append(row)
    return FirstPass(
        **state_shared(
            NAME, history, question, rows, summarise_share(rows), history.beside(span, scope)
        ),
        executed=ladder.executed,
        soaked=ladder.soaked,
        eventual=ladder.eventual,
        production=_climb(
            "production",
            (row for row in rows if history.is_production(row.environment)),
        ),
        by_environment=tuple(_climb(name, held[name]) for name in sorted(held)),
    )


def series(result: Result, step: str) -> tuple[Bucket, ...]:
    """The share by day, week or month in which attempt 1 started; mature intents only."""
    return build_series(result, step, summarise_share)
