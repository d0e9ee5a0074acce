"""The five key measures for one question, read from facts and their sums."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from django.db.models import Min, Q, QuerySet

from metrics.described import DESCRIBED, SET_ASIDE_WORDS
from metrics.figure import Figure
from metrics.forms import Asked
from metrics.measures.base import Filters
from metrics.measures.knowledge import SetAside
from metrics.measures.periods import MONTH, WEEK, Period, span_of
from metrics.measures.registry import MEASURES
from metrics.measures.results import Question, Result, Row
from metrics.models import Rollup, ServiceState
from metrics.rollups.base import Wanted, Where
from metrics.rollups.figures import (
    Figures,
    Scope,
    Tallied,
    make_buckets,
    narrowed_to_production,
    summarise,
)
from metrics.rollups.freshness import Fresh, open_store
from metrics.rollups.results import make_result
from metrics.rollups.service_facts import NO_SERVICE
from metrics.targets import Targets
from promotion.models import Environment, Service, Team

WEEKS_UP_TO_DAYS = 200
NOTHING_THERE = "Nothing is on record of what the filter asks for."
TOO_MUCH = (
    "Too much has changed since that as_of to compute it for a page; narrow the question to a"
    " team or a service."
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at all of the services a question is about."""

    is_empty: bool
    has_mapped: bool
    has_unmapped: bool


class Report:
    """All that the pages and the API say about one question.

    Costs a number of queries that does not grow with the number of deployments. `fresh` says
    what of it is behind; it raises nothing, and reads as stored what is too much to compute.
    """

    def __init__(self, asked: Asked) -> None:
        self.keys = find_services(asked)
        self.fresh: Fresh = open_store(self.keys, asked.as_of, is_now=asked.is_now)
        if self.fresh.is_too_much:
            raise TooMuchError(TOO_MUCH)
        self.asked = asked
        self.targets = Targets(asked.as_of)
        self.services: dict[int, tuple[str, str]] = {
            key: (slug, team)
            for key, slug, team in Service.objects.values_list("pk", "slug", "team__slug")
        }
        tiers = dict(Environment.objects.values_list("slug", "tier"))
        self.figures_of = Figures(
            self.fresh.store,
            self._find_scope(),
            tiers,
            self._known,
            asked.as_of,
            Period(asked.before.from_, asked.period.to, asked.period.zone),
        )

    def _find_scope(self) -> Scope:
        filters = self.asked.filters
        if self.keys is None:
            return Scope(None, Rollup.Scope.ALL, 0)
        if filters.service:
            return Scope(self.keys, Rollup.Scope.SERVICE, self.keys[0] if self.keys else -1)
        team = Team.objects.filter(slug=filters.team).values_list("pk", flat=True).first()
        return Scope(self.keys, Rollup.Scope.TEAM, -1 if team is None else team)

    @cached_property
    def _known(self) -> Known:
        told = [(each.has_any, each.has_mapped, each.has_unmapped) for each in self.fresh.computed]
        told += self._states.values_list("has_any", "has_mapped", "has_unmapped")
        return Known(
            is_empty=not any(has_any for has_any, _, _ in told),
            has_mapped=any(has_mapped for _, has_mapped, _ in told),
            has_unmapped=any(has_unmapped for _, _, has_unmapped in told),
        )

    @property
    def _states(self) -> QuerySet[ServiceState]:
        """How the facts that are read as stored stand."""
        computed = [each.service_key for each in self.fresh.computed]
        states = ServiceState.objects.exclude(service_key__in=computed)
        return states if self.keys is None else states.filter(service_key__in=self.keys)

    @property
    def step(self) -> str:
        """Points of a series are weeks, or months where there would be too many."""
        period = self.asked.period
        return WEEK if (period.to - period.from_).days <= WEEKS_UP_TO_DAYS else MONTH

    def _filters(self, name: str, *, is_leading: bool = True) -> Filters:
        """First-pass success leads with production."""
        filters = self.asked.filters
        return narrowed_to_production(filters) if is_leading and name == "first_pass" else filters

    def where(self, name: str) -> Where:
        """The places, kind and services of a measure."""
        return self.figures_of.where(name, self._filters(name))

    def compute(self, name: str, *, is_leading: bool = True, is_whole: bool = True) -> Result:
        """A measure by its name; without `is_whole` only what a line about it tells."""
        question = Question(
            period=self.asked.period, filters=self._filters(name, is_leading=is_leading)
        )
        result = make_result(self.figures_of, self.names, name, question, is_whole=is_whole)
        if result.no_data and self.asked.is_narrowed and self._known.is_empty:
            result = replace(result, no_data=NOTHING_THERE)
        return result

    def figure(self, name: str, *, is_whole: bool = True) -> Figure:
        """A measure with its series, its target and the period before."""
        filters = self.asked.filters
        before = self.figures_of.tally(name, self.where(name), self.asked.before)
        return Figure(
            described=DESCRIBED[name],
            result=self.compute(name, is_whole=is_whole),
            before=summarise(name, before),
            buckets=make_buckets(
                name, self.tally_buckets(name), self.asked.period, self.step, self.asked.as_of
            ),
            target=self.targets.find(name, filters.team, filters.service),
        )

    def figures(self, *, is_whole: bool = True) -> list[Figure]:
        """All five, in the order of the standard."""
        return [self.figure(name, is_whole=is_whole) for name in MEASURES]

    def tally_buckets(self, name: str) -> list[Tallied]:
        """What was counted in each part of the period; read once."""
        if name not in self._read:
            self._read[name] = self.figures_of.buckets(
                name, self.where(name), self.asked.period, self.step
            )
        return self._read[name]

    @cached_property
    def _read(self) -> dict[str, list[Tallied]]:
        return {}

    @cached_property
    def names(self) -> dict[int, str]:
        """The slug of each service, by its key."""
        return {key: slug for key, (slug, _) in self.services.items()}

    def tally_services(self, name: str, services: Iterable[int]) -> dict[int, Tallied]:
        """What was counted of each of the services."""
        return self.figures_of.by_service(name, self.where(name), self.asked.period, services)

    def list_services(self) -> list[int]:
        """The keys of the services a question is about, in the order of their names."""
        wanted = self.services if self.keys is None else self.keys
        return sorted(
            (key for key in wanted if key != NO_SERVICE), key=lambda key: self.services[key]
        )

    def count_verdicts(self, name: str) -> dict[str, int]:
        """How many rows there are of each verdict, those whose watch window runs too."""
        tallied = self.figures_of.tally(name, self.where(name), self.asked.period)
        return dict(sorted(tallied.tally.named("verdict").items()))

    def rows(self, name: str, part: slice, wanted: Wanted | None = None) -> list[Row]:
        """A part of the rows behind a figure, oldest first unless it says otherwise."""
        wanted = wanted or Wanted(span_of(self.asked.period))
        return self.fresh.store.rows(name, self.where(name), wanted, self.asked.as_of, part)

    def sample(self, name: str, n: int, most: int) -> list[Row]:
        """Rows of the period, of `n` no more than about `most`, evenly left out."""
        level = 0
        while n >> level > most:
            level += 1
        span = span_of(self.asked.period)
        return self.fresh.store.sample(name, self.where(name), span, self.asked.as_of, level)

    def count_aside(self, name: str) -> dict[str, int]:
        """How many facts are counted beside a figure, by cause."""
        counts = self.figures_of.count_aside(name, self._filters(name), self.asked.period)
        return {cause: counts.get(cause, 0) for cause in SET_ASIDE_WORDS}

    def list_aside(self, name: str, cause: str, part: slice) -> list[SetAside]:
        """A part of the facts counted beside a figure for a cause."""
        return self.figures_of.list_aside(name, self._filters(name), self.asked.period, cause, part)

    @cached_property
    def tracked_since(self) -> datetime | None:
        """The earliest time of a fact that was told in time."""
        found = [
            self._states.aggregate(at=Min("tracked_since"))["at"],
            *(each.tracked_since for each in self.fresh.computed),
        ]
        return min((at for at in found if at is not None), default=None)


class TooMuchError(Exception):
    """An as-of of which too much changed since; the sentence says what to do."""


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


def open_report(asked: Asked) -> Report:
    """The report of a question; of now, and told so, where its as-of is too much to compute."""
    try:
        return Report(asked)
    except TooMuchError as error:
        now = replace(
            asked,
            is_now=True,
            as_of=asked.asked_at or asked.as_of,
            problems=(*asked.problems, f"{error} Shown is what is known now."),
        )
        return Report(now)
