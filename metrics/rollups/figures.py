"""The figures of the five measures from sums, with what is read of single facts beside."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise

from metrics.measures.base import PRODUCTION, Filters
from metrics.measures.knowledge import SetAside
from metrics.measures.periods import Period, Span, span_of, split_period
from metrics.measures.results import Bucket, Known, Summary
from metrics.models import TraceFact
from metrics.statistics import garwood, measure_percentile, wilson

from .base import Store, Summed, Unripe, Where
from .counting import ASIDE, COHORT, NEGATIVE, count_trace
from .rows import times_of
from .tallies import EXACT_UP_TO, Tally, add_counts, tally_days

SERIES = {"build_to_production": ("hours", "until_all", "hotfix"), COHORT: ("deployed",)}
WITH_WATCH = ("first_pass", "failures")


@dataclass(frozen=True, slots=True)
class Scope:
    """The services a question is about (keys; None: all), and the sum that has just these."""

    services: tuple[int, ...] | None
    scope: str
    scope_key: int


@dataclass(frozen=True, slots=True)
class Tallied:
    """One stretch of days: what ripened in it, and how many units have not."""

    tally: Tally
    immature: int


class Figures:
    """Reads sums and makes figures of them, for one scope and as-of.

    `tiers` gives each environment its tier, `known` says what there is at all. What is asked of
    lies within `whole`; it is read once, whatever parts of it are asked for.
    """

    def __init__(
        self,
        store: Store,
        scope: Scope,
        tiers: dict[str, str],
        known: Known,
        as_of: datetime,
        whole: Period,
    ) -> None:
        self.store, self.scope, self.tiers = store, scope, tiers
        self.known, self.as_of, self.whole = known, as_of, whole
        self._days = (whole.from_, whole.to)
        self._sums: dict[tuple[str, Where], list[Summed]] = {}
        self._unripe: dict[tuple[str, Where], list[Unripe]] = {}
        self._recurring: dict[Where, list[TraceFact]] = {}

    def sums(self, measure: str, where: Where) -> list[Summed]:
        """All sums of a measure."""
        key = (measure, where)
        if key not in self._sums:
            self._sums[key] = self.store.sums(measure, where, self._days)
        return self._sums[key]

    def unripe(self, measure: str, where: Where) -> list[Unripe]:
        """What does not count yet of a measure; nothing where it has no watch window."""
        key = (measure, where)
        if measure not in WITH_WATCH:
            return []
        if key not in self._unripe:
            self._unripe[key] = self.store.unripe(measure, where, span_of(self.whole), self.as_of)
        return self._unripe[key]

    def recurring(self, measure: str, where: Where) -> list[TraceFact]:
        """What is counted by several times."""
        if measure != "traceability":
            return []
        if where not in self._recurring:
            self._recurring[where] = self.store.recurring(where, span_of(self.whole))
        return self._recurring[where]

    def where(self, measure: str, filters: Filters) -> Where:
        """The places and kind a measure asks for under the filters."""
        places: set[str] | None = None
        if filters.environment:
            places = {filters.environment}
        if filters.tier:
            of_tier = {name for name, tier in self.tiers.items() if tier == filters.tier}
            places = of_tier if places is None else places & of_tier
        if measure == "automated_share" and places is None and not filters.all_stages:
            places = {name for name, tier in self.tiers.items() if tier == PRODUCTION}
        return self._where(None if places is None else frozenset(places), filters.kind)

    def _where(self, places: frozenset[str] | None, kind: str | None) -> Where:
        scope = self.scope
        return Where(places, kind, scope.services, scope.scope, scope.scope_key)

    def tallies(
        self, measure: str, where: Where, edges: Sequence[date], zone: str
    ) -> list[Tallied]:
        """One for each stretch between two edges; durations exact where all of them are few."""
        series = SERIES.get(measure, ())
        sums = self.sums(measure, where)
        found = tally_days([each.table for each in sums], edges, series)
        if series and self._are_few(found, series):
            own = self.store.service_sums(measure, where, (edges[0], edges[-1]), None)
            found = tally_days([each.table for each in own], edges, series)
        immature = self._ripen(measure, where, found, edges, zone)
        return [Tallied(*each) for each in zip(found, immature, strict=True)]

    def _are_few(self, found: list[Tally], series: Sequence[str]) -> bool:
        several = [tally.hours(name) for tally in found for name in series]
        is_binned = any(not hours.is_exact for hours in several)
        whole = max(sum(len(tally.hours(name)) for tally in found) for name in series)
        return is_binned and whole <= EXACT_UP_TO

    def _ripen(
        self, measure: str, where: Where, found: list[Tally], edges: Sequence[date], zone: str
    ) -> list[int]:
        """Takes out what does not count yet, and puts in what is counted by several times."""
        immature = [0] * len(found)
        for unripe in self.unripe(measure, where):
            if edges[0] <= unripe.day < edges[-1]:
                place = _place(edges, unripe.day)
                add_counts(found[place], unripe.counts, -1)
                immature[place] += unripe.counts["n"]
        recurring = self.recurring(measure, where)
        stretches = [_span(*pair, zone) for pair in pairwise(edges)] if recurring else []
        for fact in recurring:
            for place, stretch in enumerate(stretches):
                if any(stretch.holds(at) for at in times_of(fact)):
                    add_counts(found[place], count_trace(fact))
        return immature

    def tally(self, measure: str, where: Where, period: Period) -> Tallied:
        """All of a period."""
        return self.tallies(measure, where, (period.from_, period.to), period.zone)[0]

    def buckets(self, measure: str, where: Where, period: Period, step: str) -> list[Tallied]:
        """By day, week or month; durations are exact where those of the whole period are few."""
        return self.tallies(measure, where, edges_of(period, step), period.zone)

    def by_service(
        self, measure: str, where: Where, period: Period, services: Iterable[int] | None = None
    ) -> dict[int, Tallied]:
        """By service: of those named, or of all."""
        named = None if services is None else [*services]
        sums = self.store.service_sums(measure, where, (period.from_, period.to), named)
        return self._group(measure, where, period, sums, "service")

    def by_environment(self, measure: str, where: Where, period: Period) -> dict[str, Tallied]:
        """By environment."""
        return self._group(measure, where, period, self.sums(measure, where), "environment")

    def _group(
        self, measure: str, where: Where, period: Period, sums: list[Summed], by: str
    ) -> dict:  # type: ignore[type-arg]  # keys are services or environments
        def key(each: Summed | Unripe) -> int | str:
            if by == "service":
                return each.service
            return each.slot.environment if isinstance(each, Summed) else each.environment

        held: dict[int | str, list[Summed]] = defaultdict(list)
        for each in sums:
            held[key(each)].append(each)
        edges = (period.from_, period.to)
        series = SERIES.get(measure, ())
        tallies = {
            name: tally_days([each.table for each in found], edges, series)[0]
            for name, found in held.items()
        }
        immature: Counter[int | str] = Counter()
        span = span_of(period)
        for unripe in self.unripe(measure, where):
            if period.from_ <= unripe.day < period.to and key(unripe) in tallies:
                add_counts(tallies[key(unripe)], unripe.counts, -1)
                immature[key(unripe)] += unripe.counts["n"]
        for fact in self.recurring(measure, where):
            if any(span.holds(at) for at in times_of(fact)):
                name = fact.service_id if by == "service" else fact.environment
                add_counts(tallies.setdefault(name, Tally()), count_trace(fact))
        return {name: Tallied(tally, immature[name]) for name, tally in tallies.items()}

    def count_aside(self, measure: str, filters: Filters, period: Period) -> dict[str, int]:
        """How much is counted beside a measure, by cause."""
        counts: Counter[str] = Counter()
        everywhere = self._where(None, None)
        days = (period.from_, period.to)
        for each in self.sums(ASIDE, everywhere):
            counts[each.slot.kind] += tally_days([each.table], days)[0].of("n")
        if measure == "build_to_production":
            counts["quarantined"] += self.tally(
                NEGATIVE, self.where(measure, filters), period
            ).tally.of("n")
        return dict(counts)

    def list_aside(
        self, measure: str, filters: Filters, period: Period, cause: str, part: slice
    ) -> list[SetAside]:
        """What is counted beside for a cause; those of measure 3's own come last."""
        span = span_of(period)
        found = self.store.aside(cause, self._where(None, None), span, slice(0, part.stop))
        if cause == "quarantined" and measure == "build_to_production":
            where = self.where(measure, filters)
            found += self.store.aside(NEGATIVE, where, span, slice(0, part.stop))
        return found[part]


def edges_of(period: Period, step: str) -> list[date]:
    """The days at which the parts of a period begin, and its end."""
    return [*(part.from_ for part in split_period(period, step)), period.to]


def _span(first: date, end: date, zone: str) -> Span:
    return span_of(Period(first, end, zone))


def _place(edges: Sequence[date], day: date) -> int:
    return max(place for place, edge in enumerate(edges[:-1]) if edge <= day)


def summarise(measure: str, tallied: Tallied) -> Summary:
    """The figure itself: a fraction, a median in hours, or a count, with its interval."""
    tally = tallied.tally
    if measure == "build_to_production":
        median = measure_percentile(tally.hours("hours"), 0.5)
        return Summary(median.n, None, median.value, median.interval)
    n, good = tally.of("n"), tally.of("good")
    if not n:
        return Summary(0, None, None, None)
    if measure == "failures":
        return Summary(n, good, float(good), garwood(good))
    return Summary(n, good, good / n, wilson(good, n))


def make_buckets(
    measure: str, tallies: Iterable[Tallied], period: Period, step: str, as_of: datetime
) -> tuple[Bucket, ...]:
    """The points of a series."""
    found = []
    for part, tallied in zip(split_period(period, step), tallies, strict=True):
        summary = summarise(measure, tallied)
        found.append(
            Bucket(
                period=part,
                n=summary.n,
                numerator=summary.numerator,
                value=summary.value,
                interval=summary.interval,
                provisional=tallied.immature > 0 or part.ends_at > as_of,
            )
        )
    return tuple(found)


def narrowed_to_production(filters: Filters) -> Filters:
    """The filters with which first-pass success leads."""
    return filters if filters.environment else replace(filters, tier=PRODUCTION)
