"""Measure 1: the share of production executions that were automated promotions."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics.measures.executions import Execution
from metrics.measures.history import History, Scope
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
from metrics.measures.upstream import find_missing_upstream
from metrics.statistics import MEETS, Interval, judge_target, wilson

NAME = "automated_share"
AUTOMATED, MANUAL, OUT_OF_BAND, UNKNOWN = (
    "automated",
    "manual",
    "out_of_band",
    "unknown",
)
OBSERVED_WITHIN = timedelta(hours=24)
ENOUGH_COVERAGE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceShare:
    """The share of one service; value is a fraction."""

    service: str
    automated: int
    n: int
    value: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomatedShare(Result):
    """Measure 1 with its classes, the range over unknown, and observation coverage.

    `low` and `high` are fractions: unknown counted as not automated, and as automated.
    """

    automated: int
    automated_by_us: int
    automated_by_others: int
    manual: int
    out_of_band: int
    unknown: int
    low: float | None
    high: float | None
    by_service: tuple[ServiceShare, ...]
    targets: int
    targets_observed: int
    coverage: float | None
    is_upper_bound: bool


def count_at_target(result: AutomatedShare, target: float) -> tuple[int, int]:
    """(x, y) of "x of y services at target": x meet it by their whole interval."""
    verdicts = [judge_target(each.interval, target, each.n) for each in result.by_service]
    return verdicts.count(MEETS), len(verdicts)


def _classify(history: History, execution: Execution) -> tuple[str, str, str]:
    """The class, by whom (us, others or nobody), and the reason in a sentence."""
    promotion = execution.promotion
    said = {run.mechanism for run in execution.runs}
    promised = promotion.mechanism if promotion else None
    if MANUAL in said or promised == MANUAL:
        return MANUAL, "", "A person did it, through a tool we know of."
    if UNKNOWN in said or (promotion is not None and promised is None):
        return UNKNOWN, "", "Nothing says how it was done."
    if promised == UNKNOWN:
        return UNKNOWN, "", "Its promotion does not say how it was done."
    if execution.is_observed:
        return OUT_OF_BAND, "", "It was seen running; nothing reported its deployment."
    if promotion is None and AUTOMATED not in said:
        return OUT_OF_BAND, "", "It belongs to no promotion, and no tool claims it."
    missing = find_missing_upstream(history, execution)
    if missing:
        places = ", ".join(missing)
        return OUT_OF_BAND, "", f"Automated, but not proven before in {places}."
    if promotion is not None:
        return AUTOMATED, "us", "A promotion of ours, and no person executed its steps."
    return AUTOMATED, "others", "Another tool's automation did it."


def _is_asked(history: History, question: Question, execution: Execution) -> bool:
    if history.is_production(execution.environment):
        return True
    filters = question.filters
    if not (filters.all_stages or filters.environment or filters.tier):
        return False
    service = history.knowledge.services[execution.service]
    pipeline = service.pipeline_at(execution.started_at)
    later = pipeline.stages[1:] if pipeline else ()
    return any(stage.environment == execution.environment for stage in later)


def _make_row(history: History, execution: Execution) -> Row:
    verdict, by, reason = _classify(history, execution)
    return Row(
        unit=execution.id,
        service=execution.service,
        environment=execution.environment,
        digest=execution.digest,
        at=execution.finished_at,
        started_at=execution.started_at,
        finished_at=execution.finished_at,
        verdict=verdict,
        reason=reason,
        good=verdict == AUTOMATED,
        ids=execution.ids,
        details=(
            ("by", by),
            ("kind", execution.kind),
            ("promotion", execution.promotion.id if execution.promotion else None),
        ),
    )


Target = tuple[str, str, str]


def find_targets(history: History) -> dict[Target, datetime | None]:
    """The production targets of each (service, environment), and when each was last observed."""
    knowledge = history.knowledge
    targets: dict[Target, datetime | None] = {}
    places = {(run.service, run.environment) for run in history.runs}
    for service in knowledge.services.values():
        pipeline = service.pipeline_at(history.as_of)
        places |= (
            {(service.name, stage.environment) for stage in pipeline.stages}
            if (pipeline)
            else set()
        )
    for name, environment in places:
        known = knowledge.environments.get(environment)
        if known and history.is_production(environment):
            for target in known.targets or ("",):
                targets[name, environment, target] = None
    for fact in knowledge.observations:
        declared = knowledge.environments[fact.environment].targets or ("",)
        named = declared if fact.target is None or declared == ("",) else (fact.target,)
        for target in named:
            key = (fact.service, fact.environment, target)
            last = targets.get(key)
            if key in targets and (last is None or fact.at > last):
                targets[key] = fact.at
    return targets


def _cover(history: History, scope: Scope) -> tuple[int, int]:
    """How many production targets were observed in the last 24 h, of how many."""
    since = history.as_of - OBSERVED_WITHIN
    held = [
        last
        for (service, environment, _), last in find_targets(history).items()
        if scope.holds(service, environment)
    ]
    return sum(last is not None and last > since for last in held), len(held)


def _share_services(rows: tuple[Row, ...]) -> tuple[ServiceShare, ...]:
    held: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        held[row.service].append(row)
    return tuple(
        ServiceShare(
            service=name,
            automated=(good := sum(row.good for row in held[name])),
            n=len(held[name]),
            value=good / len(held[name]),
            interval=wilson(good, len(held[name])),
        )
        for name in sorted(held)
    )


def compute(history: History, question: Question) -> AutomatedShare:
    """A ÷ (A + M + O + U), a fraction, over production executions finished in the period.

    The rows carry the class as verdict. The interval is Wilson's. Definition: measures v1.
    """
    span = span_of(question.period)
    scope = Scope(history.knowledge, question.filters)
    rows = tuple(
        _make_row(history, each)
        for each in history.executions
        if span.holds(each.finished_at)
        and scope.holds(each.service, each.environment, each.kind)
        and _is_asked(history, question, each)
    )
    counts = Counter(row.verdict for row in rows)
    others = sum(dict(row.details)["by"] == "others" for row in rows)
    summary = summarise_share(rows)
    n = len(rows)
    observed, targets = _cover(history, scope)
    coverage = observed / targets if targets else None
    return AutomatedShare(
        **state_shared(NAME, history, question, rows, summary, history.beside(span, scope)),
        automated=counts[AUTOMATED],
        automated_by_us=counts[AUTOMATED] - others,
        automated_by_others=others,
        manual=counts[MANUAL],
        out_of_band=counts[OUT_OF_BAND],
        unknown=counts[UNKNOWN],
        low=summary.value,
        high=(counts[AUTOMATED] + counts[UNKNOWN]) / n if n else None,
        by_service=_share_services(rows),
        targets=targets,
        targets_observed=observed,
        coverage=coverage,
        is_upper_bound=coverage is not None and coverage < ENOUGH_COVERAGE,
    )


def series(result: Result, step: str) -> tuple[Bucket, ...]:
    """The share by day, week or month; nothing waits for a watch window here."""
    return build_series(result, step, summarise_share)
