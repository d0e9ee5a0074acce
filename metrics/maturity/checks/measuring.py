"""A statement's check over a team's facts: window, figures, the lowest of them, the verdict."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from metrics.maturity.checks.facts import CheckFacts
from metrics.maturity.checks.registry import FIGURES, Figure
from metrics.maturity.checks.results import (
    CheckFinding,
    FigureValue,
    Tally,
    Unit,
    list_counterexamples,
)
from metrics.maturity.checks.windows import CheckWindow, open_window
from metrics.maturity.model import Better, Check, MaturityModel, Statement
from metrics.maturity.model import Unit as CountedIn
from metrics.maturity.values import RANKS
from promotion.exceptions import InputError


def measure_statements(model: MaturityModel, facts: CheckFacts) -> dict[str, CheckFinding]:
    """What the check of each statement that has one finds; raises InputError for an unknown figure.

    The windows end with the time the facts are known at. Definition: MATURITY, "Checks".
    """
    windows = [open_window(facts, days) for days in model.window.days]
    return {
        statement.id: measure_statement(model, statement, facts, windows)
        for statement in model.statements
        if statement.check is not None
    }


def measure_statement(
    model: MaturityModel,
    statement: Statement,
    facts: CheckFacts,
    windows: Collection[CheckWindow],
) -> CheckFinding:
    """What one statement's check finds, in the narrowest window that holds enough for it.

    The lowest of several figures decides. An excused counterexample is left out of the figure.
    Raises InputError where the check names a figure that is not known, or there is no check.
    """
    check = statement.check
    if check is None:
        raise InputError(f"{statement.id} has no check. Nothing was measured.", key=statement.id)
    figures = {name: _find_figure(name, statement) for name in check.figures}
    for window in windows:
        if all(figure.has_enough(window, model.window) for figure in figures.values()):
            break
    else:
        return _find_too_little(model, statement, facts, window, figures)
    return _judge(
        statement.id, check, tally_figures(statement, facts, window), facts, window, figures
    )


def tally_figures(statement: Statement, facts: CheckFacts, window: CheckWindow) -> dict[str, Tally]:
    """What each figure of a statement's check counts in a window, by the figure's name.

    Excused counterexamples are marked. Empty without a check; InputError for an unknown figure.
    """
    check = statement.check
    if check is None:
        return {}
    parameters = dict(check.parameters)
    if check.fully_when_none_in:
        parameters["fully_when_none_in"] = check.fully_when_none_in
    asked = replace(window, parameters=parameters)
    return {
        name: _excuse(_find_figure(name, statement).compute(facts, asked), statement, facts)
        for name in check.figures
    }


def _find_figure(name: str, statement: Statement) -> Figure:
    if name not in FIGURES:
        raise InputError(
            f"The check of {statement.id} names the figure {name!r}, which is not known here."
            f" Nothing was measured; known are {', '.join(sorted(FIGURES))}.",
            key=name,
        )
    return FIGURES[name]


def _excuse(tally: Tally, statement: Statement, facts: CheckFacts) -> Tally:
    keys = facts.excused.get(statement.id, frozenset())
    # What is no share of units cannot lose one of them.
    if not keys or tally.value is not None:
        return tally
    return replace(
        tally,
        units=tuple(
            replace(unit, excused=True) if not unit.good and unit.key in keys else unit
            for unit in tally.units
        ),
    )


def _find_too_little(
    model: MaturityModel,
    statement: Statement,
    facts: CheckFacts,
    window: CheckWindow,
    figures: Mapping[str, Figure],
) -> CheckFinding:
    lacking = _find_lack_of_source(facts, window, figures)
    if lacking:
        return replace(_begin(statement.id, facts, window), reason=lacking)
    needed = model.window
    reason = (
        f"{window.promotions} promotions and {len(window.executions)} production deployments in"
        f" {window.days} days; it takes {needed.promotions} or"
        f" {needed.production_deployments}."
    )
    if window.promotions >= needed.promotions:
        reason = (
            f"{len(window.executions)} production deployments in {window.days} days; it takes"
            f" {needed.production_deployments}."
        )
    return replace(_begin(statement.id, facts, window), reason=reason, is_insufficient=True)


def _find_lack_of_source(
    facts: CheckFacts, window: CheckWindow, figures: Mapping[str, Figure]
) -> str:
    """Why no amount of data would do, where that is so."""
    for figure in figures.values():
        if figure.has_source:
            continue
        return figure.compute(facts, window).unmeasured
    return ""


def _begin(statement_id: str, facts: CheckFacts, window: CheckWindow) -> CheckFinding:
    return CheckFinding(
        statement_id=statement_id,
        window_days=window.days,
        window_from=window.span.starts_at,
        window_to=facts.at,
        verdict=None,
        value=None,
        numerator=None,
        denominator=0,
        n=0,
        figures=(),
        counterexamples=(),
        covered=0,
        coverable=len(facts.services),
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    value: Fraction
    numerator: int
    denominator: int


def _count(check: Check, tally: Tally) -> _Counted | None:
    counting: list[Unit] = [unit for unit in tally.units if not unit.excused]
    if tally.value is not None:
        return _Counted(tally.value, int(tally.value), len(counting))
    if not counting:
        return None
    good = sum(unit.good for unit in counting)
    found = len(counting) - good if check.better is Better.LOWER else good
    share = Fraction(found, len(counting))
    return _Counted(share * 100 if check.unit is CountedIn.PERCENT else share, found, len(counting))


def _count_covered(units: Sequence[Unit], facts: CheckFacts) -> int:
    """The services with anything counted; what is said of the team covers all of them."""
    if any(not unit.service for unit in units):
        return len(facts.services)
    return len({unit.service for unit in units} & facts.services)


def _judge(
    statement_id: str,
    check: Check,
    tallies: Mapping[str, Tally],
    facts: CheckFacts,
    window: CheckWindow,
    figures: Mapping[str, Figure],
) -> CheckFinding:
    units = [unit for tally in tallies.values() for unit in tally.units]
    finding = replace(
        _begin(statement_id, facts, window),
        counterexamples=list_counterexamples(units),
        covered=_count_covered(units, facts),
    )
    values = []
    for name, tally in tallies.items():
        if tally.unmeasured:
            return replace(
                finding,
                reason=tally.unmeasured,
                counterexamples=(),
                is_insufficient=figures[name].has_source,
            )
        counted = _count(check, tally)
        if counted is None:
            reason = f"There were no {figures[name].unit} in {window.days} days that count."
            return replace(finding, reason=reason, is_insufficient=True)
        values.append(
            FigureValue(
                name,
                tally.counts or figures[name].unit,
                counted.value,
                counted.numerator,
                counted.denominator,
                check.rate(counted.value),
            )
        )
    sign = -1 if check.better is Better.LOWER else 1
    lowest = min(values, key=lambda each: (RANKS[each.answer], sign * each.value))
    return replace(
        finding,
        verdict=lowest.answer,
        value=lowest.value,
        numerator=lowest.numerator,
        denominator=lowest.denominator,
        n=lowest.denominator,
        figures=tuple(values),
    )
