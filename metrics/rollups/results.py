"""The results of the measures, field by field as the pure measures give them, without rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from metrics.measures.automated_share import (
    ENOUGH_COVERAGE,
    OBSERVED_WITHIN,
    AutomatedShare,
    ServiceShare,
)
from metrics.measures.base import PRODUCTION
from metrics.measures.build_to_production import (
    BuildToProduction,
    BuiltDigest,
    Cohort,
    Spread,
    follow_cohort,
    state_cohort,
)
from metrics.measures.failures import Failures
from metrics.measures.first_pass import FirstPass, Ladder
from metrics.measures.journeys import Part, in_hours
from metrics.measures.periods import span_of, start_of_day
from metrics.measures.results import Question, Result, explain_no_data
from metrics.measures.traceability import LINKS, LinkCoverage, Traceability
from metrics.statistics import SurvivalCurve, kaplan_meier, measure_percentile, wilson

from .base import Where
from .counting import COHORT, MICROSECONDS, NEGATIVE
from .figures import Figures, Tallied, summarise
from .tallies import EXACT_UP_TO, Durations, Tally, curve_of

LISTED = 1000  # ids named in a result; counts tell of all of them
DAY = 24.0


def make_result(
    figures: Figures, names: dict[int, str], name: str, question: Question, *, is_whole: bool = True
) -> Result:
    """A measure for a question. What only its own page tells is left empty unless `is_whole`.

    `names` gives each service key its slug. Reads sums, and of single facts no more than a
    number that does not grow with the period.
    """
    where = figures.where(name, question.filters)
    tallied = figures.tally(name, where, question.period)
    shared = _state_shared(figures, name, question, tallied)
    return MAKERS[name](_Asked(figures, names, question, where, tallied, shared, is_whole))


@dataclass(frozen=True, slots=True)
class _Asked:
    """All that a result is made of."""

    figures: Figures
    names: dict[int, str]
    question: Question
    where: Where
    tallied: Tallied
    shared: dict[str, Any]
    is_whole: bool

    @property
    def tally(self) -> Tally:
        """What was counted in the period."""
        return self.tallied.tally


def _state_shared(
    figures: Figures, name: str, question: Question, tallied: Tallied
) -> dict[str, Any]:
    summary = summarise(name, tallied)
    return {
        "measure": name,
        "period": question.period,
        "filters": question.filters,
        "as_of": figures.as_of,
        "n": summary.n,
        "numerator": summary.numerator,
        "denominator": summary.n,
        "value": summary.value,
        "interval": summary.interval,
        "rows": (),
        "immature": tallied.immature,
        "provisional": tallied.immature > 0,
        "no_data": None
        if summary.n
        else explain_no_data(figures.known, question.filters, tallied.immature),
    }


def _make_automated(asked: _Asked) -> AutomatedShare:
    tally, n = asked.tally, asked.tally.of("n")
    classes, others = tally.named("verdict"), tally.of("others")
    automated, unknown = classes.get("automated", 0), classes.get("unknown", 0)
    observed, targets = _cover(asked.figures, asked.question) if asked.is_whole else (0, 0)
    coverage = observed / targets if targets else None
    return AutomatedShare(
        **asked.shared,
        automated=automated,
        automated_by_us=automated - others,
        automated_by_others=others,
        manual=classes.get("manual", 0),
        out_of_band=classes.get("out_of_band", 0),
        unknown=unknown,
        low=asked.shared["value"],
        high=(automated + unknown) / n if n else None,
        by_service=_share_services(asked.figures, asked.names, asked.question, asked.where)
        if asked.is_whole
        else (),
        targets=targets,
        targets_observed=observed,
        coverage=coverage,
        is_upper_bound=coverage is not None and coverage < ENOUGH_COVERAGE,
    )


def _cover(figures: Figures, question: Question) -> tuple[int, int]:
    since = figures.as_of - OBSERVED_WITHIN
    filters = question.filters
    places = {
        name
        for name, tier in figures.tiers.items()
        if tier == PRODUCTION
        and filters.environment in (None, name)
        and filters.tier in (None, tier)
    }
    scope = figures.scope
    where = Where(frozenset(places), None, scope.services, scope.scope, scope.scope_key)
    seen = [fact.last_seen_at for fact in figures.store.targets(where)]
    return sum(last is not None and last > since for last in seen), len(seen)


def _share_services(
    figures: Figures, names: dict[int, str], question: Question, where: Where
) -> tuple[ServiceShare, ...]:
    found = figures.by_service("automated_share", where, question.period)
    shares = []
    for key, tallied in found.items():
        n, good = tallied.tally.of("n"), tallied.tally.of("good")
        if n:
            shares.append(
                ServiceShare(
                    service=names[key],
                    automated=good,
                    n=n,
                    value=good / n,
                    interval=wilson(good, n),
                )
            )
    return tuple(sorted(shares, key=lambda share: share.service))


def _climb(name: str, tallied: Tallied) -> Ladder:
    tally = tallied.tally
    summary = summarise("first_pass", tallied)
    return Ladder(
        name=name,
        denominator=tally.of("n"),
        executed=tally.of("executed"),
        soaked=tally.of("good"),
        eventual=tally.of("eventual"),
        value=summary.value,
        interval=summary.interval,
    )


def _make_first_pass(asked: _Asked) -> FirstPass:
    ladder = _climb("all", asked.tallied)
    apart: dict[str, Tallied] = {}
    pooled = asked.tallied
    if asked.is_whole:
        apart = asked.figures.by_environment("first_pass", asked.where, asked.question.period)
        places = frozenset(name for name in apart if asked.figures.tiers.get(name) == PRODUCTION)
        production = Where(
            places, asked.where.kind, asked.where.services, asked.where.scope, asked.where.scope_key
        )
        pooled = asked.figures.tally("first_pass", production, asked.question.period)
    return FirstPass(
        **asked.shared,
        executed=ladder.executed,
        soaked=ladder.soaked,
        eventual=ladder.eventual,
        production=_climb("production", pooled),
        by_environment=tuple(
            _climb(name, apart[name])
            for name in sorted(apart)
            if apart[name].tally.of("n") or apart[name].immature
        ),
    )


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


def _make_spans(asked: _Asked) -> BuildToProduction:
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


def _make_traceability(asked: _Asked) -> Traceability:
    lacking, needed = asked.tally.named("missing"), asked.tally.named("asked")
    return Traceability(
        **asked.shared,
        missing={link: lacking[link] for link in LINKS if lacking.get(link)},
        coverage=tuple(
            LinkCoverage(link=link, have=needed[link] - lacking.get(link, 0), of=needed[link])
            for link in LINKS
            if needed.get(link)
        ),
        complete_when_deployed=asked.tally.of("strict"),
    )


def _make_failures(asked: _Asked) -> Failures:
    tally, n = asked.tally, asked.tally.of("n")
    failed, rework = tally.of("good"), tally.of("rework")
    state = (
        _state_failed(asked.figures, asked.question, asked.where)
        if asked.is_whole
        else dict(_NO_DETAILS)
    )
    return Failures(
        **asked.shared,
        count=failed if n else None,
        rate=failed / n if n else None,
        rate_interval=wilson(failed, n) if n else None,
        rework=rework,
        rework_rate=rework / n if n else None,
        **state,
    )


_NO_DETAILS: dict[str, Any] = {
    "recovery_p50_hours": None,
    "recovered": 0,
    "open": 0,
    "recovery_negative": (),
    "contained": (),
    "incidents_without_deployment": (),
    "suspected_incidents": (),
    "disputed_incidents": (),
}


def _state_failed(figures: Figures, question: Question, where: Where) -> dict[str, Any]:
    """Recovery over the failures one by one; there are few of them beside the deployments."""
    span = span_of(question.period)
    failed = [fact for fact in figures.store.failed(where, span) if fact.mature_at <= figures.as_of]
    failed.sort(key=lambda fact: (fact.at, fact.unit))
    timed = [
        (hours, fact.recovery_hours is not None)
        for fact in failed
        if (
            hours := in_hours(figures.as_of - fact.at)
            if fact.recovery_hours is None
            else fact.recovery_hours
        )
        >= 0
    ]
    recovered = sum(is_over for _, is_over in timed)
    scope = figures.scope
    alone = Where(where.environments, None, scope.services, scope.scope, scope.scope_key)
    outcomes: dict[str, list[str]] = {"alone": [], "suspected": [], "disputed": []}
    for fact in figures.store.incidents(alone, span):
        outcomes[fact.outcome].append(fact.unit)
    return {
        "recovery_p50_hours": kaplan_meier(timed).median(),
        "recovered": recovered,
        "open": len(timed) - recovered,
        "recovery_negative": tuple(
            fact.unit
            for fact in failed
            if fact.recovery_hours is not None and fact.recovery_hours < 0
        ),
        "contained": tuple(fact.unit for fact in failed if fact.is_contained),
        "incidents_without_deployment": tuple(outcomes["alone"]),
        "suspected_incidents": tuple(outcomes["suspected"]),
        "disputed_incidents": tuple(outcomes["disputed"]),
    }


MAKERS: dict[str, Callable[[_Asked], Result]] = {
    "automated_share": _make_automated,
    "first_pass": _make_first_pass,
    "build_to_production": _make_spans,
    "traceability": _make_traceability,
    "failures": _make_failures,
}
