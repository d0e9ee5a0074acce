"""The results of the measures, field by field as the pure measures give them, without rows."""

from collections.abc import Callable
from typing import Any

from metrics.measures.automated_share import (
    ENOUGH_COVERAGE,
    OBSERVED_WITHIN,
    AutomatedShare,
    ServiceShare,
)
from metrics.measures.base import PRODUCTION
from metrics.measures.failures import Failures
from metrics.measures.first_pass import FirstPass, Ladder
from metrics.measures.journeys import in_hours
from metrics.measures.periods import span_of
from metrics.measures.results import Question, Result, explain_no_data
from metrics.measures.traceability import LINKS, LinkCoverage, Traceability
from metrics.statistics import kaplan_meier, wilson

from .asked import Asked
from .base import Where
from .figures import Figures, Tallied, summarise
from .spans import make_spans


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
    return MAKERS[name](Asked(figures, names, question, where, tallied, shared, is_whole))


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


def _make_automated(asked: Asked) -> AutomatedShare:
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


def _make_first_pass(asked: Asked) -> FirstPass:
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


def _make_traceability(asked: Asked) -> Traceability:
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


def _make_failures(asked: Asked) -> Failures:
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


MAKERS: dict[str, Callable[[Asked], Result]] = {
    "automated_share": _make_automated,
    "first_pass": _make_first_pass,
    "build_to_production": make_spans,
    "traceability": _make_traceability,
    "failures": _make_failures,
}
