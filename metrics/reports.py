"""The five key measures for one question: the record is read once, and every figure is of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from django.db.models import Q

from metrics.breakdown import compare, summarise_rows
from metrics.described import COUNT, DESCRIBED, Described
from metrics.facts import load_record
from metrics.forms import Asked
from metrics.measures.base import PRODUCTION
from metrics.measures.failures import Failures
from metrics.measures.history import History
from metrics.measures.periods import MONTH, WEEK, Period
from metrics.measures.registry import MEASURES
from metrics.measures.results import Bucket, Question, Result, Summary
from metrics.statistics import Comparison, Interval, judge_target
from metrics.targets import Targets
from promotion.models import Service, Team

WEEKS_UP_TO_DAYS = 200
NOTHING_THERE = "Nothing is on record of what the filter asks for."


@dataclass(frozen=True)
class Figure:
    """One measure as a page leads with it: beside its target and the period before."""

    described: Described
    result: Result
    before: Summary
    buckets: tuple[Bucket, ...]
    target: float | None

    @property
    def judged_interval(self) -> Interval | None:
        """The interval a target is held against: of failures that of their rate."""
        return (
            self.result.rate_interval if isinstance(self.result, Failures) else self.result.interval
        )

    @property
    def verdict(self) -> str:
        """meets, misses, too close to call, not enough data; empty without a target."""
        if self.target is None:
            return ""
        return judge_target(
            self.judged_interval, self.target, self.result.n, self.described.is_higher_better
        )

    @cached_property
    def summary(self) -> Summary:
        """The figure itself."""
        result = self.result
        return Summary(result.n, result.numerator, result.value, result.interval)

    @cached_property
    def comparison(self) -> Comparison | None:
        """Beside the period before; None where that says nothing."""
        return compare(self.described, self.before, self.summary)

    @property
    def change(self) -> float | None:
        """The value minus that of the period before, rates for failures; None where one is missing."""
        before, after = self.before.value, self.result.value
        if before is None or after is None:
            return None
        if self.described.unit == COUNT:
            return after / self.result.n - before / self.before.n
        return after - before


class Report:
    """All that the pages and the API say about one question."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        record = load_record(asked.as_of, services=find_services(asked))
        self.history = History(record, asked.as_of)
        self.targets = Targets(asked.as_of)

    @property
    def step(self) -> str:
        """Points of a series are weeks, or months where there would be too many."""
        period = self.asked.period
        return WEEK if (period.to - period.from_).days <= WEEKS_UP_TO_DAYS else MONTH

    def compute(
        self, name: str, period: Period | None = None, *, is_leading: bool = True
    ) -> Result:
        """A measure by its name. First-pass success leads with production."""
        filters = self.asked.filters
        if is_leading and name == "first_pass" and not filters.environment:
            filters = replace(filters, tier=PRODUCTION)
        question = Question(period=period or self.asked.period, filters=filters)
        result = MEASURES[name].compute(self.history, question)
        if result.no_data and self.asked.is_narrowed and self.history.knowledge.is_empty:
            result = replace(result, no_data=NOTHING_THERE)
        return result

    def figure(self, name: str) -> Figure:
        """A measure with its series, its target and the period before."""
        described, result = DESCRIBED[name], self.compute(name)
        before = self.compute(name, self.asked.before)
        filters = self.asked.filters
        return Figure(
            described=described,
            result=result,
            before=summarise_rows(described, before.rows),
            buckets=MEASURES[name].series(result, self.step),
            target=self.targets.find(name, filters.team, filters.service),
        )

    def figures(self) -> list[Figure]:
        """All five, in the order of the standard."""
        return [self.figure(name) for name in MEASURES]

    @cached_property
    def team_of(self) -> dict[str, str]:
        """The team of each service."""
        services = self.history.knowledge.services.values()
        return {service.name: service.team for service in services}


def find_services(asked: Asked) -> tuple[int, ...] | None:
    """The keys of the services a question is about; None: all of them."""
    filters = asked.filters
    if not (filters.team or filters.service):
        return None
    narrowed = Q()
    if filters.service:
        narrowed &= Q(slug=filters.service)
    if filters.team:
        narrowed &= Q(team__slug__in=find_teams_below(filters.team))
    return tuple(Service.objects.filter(narrowed).values_list("pk", flat=True))


def find_teams_below(team: str) -> frozenset[str]:
    """A team and all teams below it, by their slugs."""
    children: dict[str | None, list[str]] = {}
    for slug, parent in Team.objects.values_list("slug", "parent__slug"):
        children.setdefault(parent, []).append(slug)
    found: set[str] = set()
    waiting: Iterable[str] = [team]
    while waiting:
        found.update(waiting)
        waiting = [
            child for each in waiting for child in children.get(each, []) if child not in found
        ]
    return frozenset(found)
