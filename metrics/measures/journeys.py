"""The way of one digest from its build to production, and where the time went."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics.measures.history import History
from metrics.measures.targets import Run

TO_FIRST = "build to first environment"
FOR_APPROVAL, FOR_GATES, RUNNING = (
    "waiting for approval",
    "waiting for gates",
    "running",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a span, in hours; `share` is its fraction of the whole."""

    name: str
    hours: float
    share: float | None = None


def in_hours(span: timedelta) -> float:
    """A span in hours."""
    return span.total_seconds() / 3600


def _first_runs(history: History, last: Run) -> list[Run]:
    """The first success of the digest in each environment on the way, in order of finish."""
    first = [last]
    for environment in history.knowledge.environments:
        if environment == last.environment:
            continue
        runs = history.successes.get((last.service, environment, last.digest), [])
        if runs and runs[0].finished_at <= last.finished_at:
            first.append(runs[0])
    return sorted(first, key=lambda run: (run is last, run.finished_at, run.started_at, run.id))


def split_span(history: History, built_at: datetime, last: Run) -> tuple[Part, ...]:
    """The parts, in hours, of the span from `built_at` to the finish of `last`.

    They add up to the span: each environment's part lasts until the next promotion is
    asked for; up to its last approval that promotion waits for approval, then for gates,
    until it runs. Raises nothing; what lies before the previous mark has no length.
    """
    hours: dict[str, float] = {}
    mark = built_at
    here = TO_FIRST

    def advance(name: str, until: datetime, limit: datetime) -> None:
        nonlocal mark
        until = min(until, limit)
        if until > mark:
            hours[name] = hours.get(name, 0.0) + in_hours(until - mark)
            mark = until

    for run in _first_runs(history, last):
        promotion, limit = run.promotion, run.finished_at
        starts_at = run.started_at
        if promotion is not None:
            starts_at = promotion.started_at or starts_at
            advance(here, promotion.asked_at, limit)
            approved = [each.at for each in promotion.approvals if each.at <= starts_at]
            if approved:
                advance(FOR_APPROVAL, max(approved), limit)
            advance(FOR_GATES, starts_at, limit)
        else:
            advance(here, starts_at, limit)
        advance(RUNNING, limit, limit)
        here = f"in {run.environment}"
    return tuple(Part(name, each) for name, each in hours.items())


def average_parts(journeys: list[tuple[Part, ...]]) -> tuple[Part, ...]:
    """The mean hours of each part over all journeys, and its share of the mean span."""
    total: dict[str, float] = {}
    for parts in journeys:
        for part in parts:
            total[part.name] = total.get(part.name, 0.0) + part.hours
    whole = sum(total.values())
    return tuple(
        Part(name, hours / len(journeys), hours / whole if whole else None)
        for name, hours in total.items()
    )


def reach_all(history: History, last: Run, digests: frozenset[str]) -> datetime | None:
    """When the last production target had every digest; None while one has not."""
    knowledge = history.knowledge
    pipeline = knowledge.services[last.service].pipeline_at(last.started_at)
    stages = pipeline.stages if pipeline else ()
    places = {last.environment} | {
        stage.environment
        for stage in stages
        if stage.environment in knowledge.environments and history.is_production(stage.environment)
    }
    reached: list[datetime] = []
    for environment in places:
        wanted = knowledge.environments[environment].targets
        for digest in digests:
            first: dict[str, datetime] = {}
            for run in history.successes.get((last.service, environment, digest), []):
                for target in run.targets:
                    first.setdefault(target, run.finished_at)
            if not first or any(target not in first for target in wanted):
                return None
            reached += [first[target] for target in wanted] or [min(first.values())]
    return max(reached)
