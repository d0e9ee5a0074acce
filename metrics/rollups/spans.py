"""The result of build to production: its spreads, its parts and its cohort."""

from datetime import timedelta
from typing import Any

import numpy as np

from metrics.measures.build_to_production import (
    BuildToProduction,
    BuiltDigest,
    Cohort,
    Spread,
    follow_cohort,
    state_cohort,
)
from metrics.measures.journeys import Part, in_hours
from metrics.measures.periods import span_of, start_of_day
from metrics.measures.results import Question
from metrics.statistics import SurvivalCurve, measure_percentile

from .asked import LISTED, Asked
from .base import Where
from .counting import COHORT, MICROSECONDS, NEGATIVE
from .figures import Figures
from .tallies import EXACT_UP_TO, Durations, Tally, curve_of

DAY = 24.0


def _spread(hours: Durations) -> Spread:
    return Spread(
        n=len(hours),
        p50=measure_percentile(hours, 0.5),
        p75=measure_percentile(hours, 0.75),
        p90=measure_percentile(hours, 0.9),
    )


def mean_parts(tally: Tally) -> tuple[Part, ...]:
    """The mean hours of each part over all spans of a tally, and its share of the mean span."""
    sums = tally.named("part")
    whole, n = sum(sums.values()), tally.of("n")
    return tuple(
        Part(name, total / MICROSECONDS / n, total / whole if whole else None)
        for name, total in sums.items()
    )


def make_spans(asked: Asked) -> BuildToProduction:
    """The measure for the question asked."""
    tally = asked.tally
    empty = Cohort(n=0, in_production=(), deployed=None, superseded=None, waiting=None)
    return BuildToProduction(
        **asked.shared,
        spread=_spread(tally.hours("hours")),
        until_all=_spread(tally.hours("until_all")),
        hotfixes=_spread(tally.hours("hotfix")),
        mean_parts=mean_parts(tally),
        cohort=_follow_cohort(asked.figures, asked.question) if asked.is_whole else empty,
        negative=tuple(
            asked.figures.store.aside(
                NEGATIVE, asked.where, span_of(asked.question.period), slice(0, LISTED)
            )
        )
        if asked.is_whole
        else (),
    )


def _follow_cohort(figures: Figures, question: Question) -> Cohort:
    scope = figures.scope
    where = Where(None, None, scope.services, scope.scope, scope.scope_key)
    span = span_of(question.period)
    sums = figures.sums(COHORT, where)
    tallied = figures.tally(COHORT, where, question.period)
    n = tallied.tally.of("n")
    if n <= EXACT_UP_TO:
        built = (
            BuiltDigest("", fact.unit, fact.at, fact.deployed_at, fact.is_superseded)
            for fact in figures.store.built(where, span)
        )
        return follow_cohort(built, figures.as_of)
    deployed = tallied.tally.of("deployed")
    waiting = _censor(
        (
            (day, c.get("n", 0) - c.get("deployed", 0))
            for each in sums
            for day, c in _days(each.table)
        ),
        figures,
        question,
    )
    curve = curve_of(tallied.tally.hours("deployed"), waiting)
    in_days = SurvivalCurve(tuple(t / DAY for t in curve.times), curve.remaining, curve.n)
    return state_cohort(in_days, n, deployed, tallied.tally.of("superseded"))


def _days(table: Any) -> Any:
    for day, counts in zip(table.days.tolist(), table.counts.tolist(), strict=True):
        yield day, dict(zip(table.columns, counts, strict=True))


def _censor(open_days: Any, figures: Figures, question: Question) -> Durations:
    """How long what is open on each day has been so, counted from the middle of its day."""
    first, end = question.period.from_.toordinal(), question.period.to.toordinal()
    counts: dict[int, int] = {}
    for day, count in open_days:
        if first <= day < end and count:
            counts[day] = counts.get(day, 0) + count
    since = start_of_day(question.period.from_, question.period.zone)
    found = []
    for day, count in counts.items():
        middle = since + timedelta(days=day - first, hours=12)
        found.append((max(0.0, in_hours(figures.as_of - middle)), count))
    found.sort()
    return Durations(
        np.array([hours for hours, _ in found], np.float64),
        np.array([count for _, count in found], np.int64),
    )
