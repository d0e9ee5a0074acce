"""Figures about what a team makes a habit of: looking, trying ways, getting faster."""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from scipy.stats import theilslopes

from metrics.maturity.checks.acts import find_acts, find_executions
from metrics.maturity.checks.facts import CheckFacts
from metrics.maturity.checks.of_promotions import is_complete, is_judged
from metrics.maturity.checks.results import Page, Tally, Unit
from metrics.maturity.checks.windows import CheckWindow, cut_span
from metrics.measures.executions import Execution
from metrics.measures.periods import Span

DAYS_A_WEEK = 7


def _is_viewed(facts: CheckFacts, days: int) -> bool:
    return facts.viewed_at is not None and facts.viewed_at > facts.at - timedelta(days=days)


def _judge_habit(key: str, good: bool, what: str) -> Unit:
    return Unit(key, "", good, what, Page("measure-list"))


def tell_viewed(facts: CheckFacts, window: CheckWindow) -> Tally:
    """1 where a member of the team viewed the measures within so many days, else 0."""
    days = window.parameters["within_days"]
    good = _is_viewed(facts, days)
    unit = _judge_habit("viewed", good, f"Nobody of the team viewed the measures in {days} days")
    return Tally((unit,), Fraction(int(good)))


def count_monitoring(facts: CheckFacts, window: CheckWindow) -> Tally:
    """How many of three hold: complete records, a target set, a view within so many days."""
    days, least = window.parameters["within_days"], window.parameters["complete_percent"]
    judged = [act for act in window.acts if is_judged(act, facts)]
    complete = sum(is_complete(act) for act in judged)
    conditions = (
        _judge_habit(
            "complete",
            bool(judged) and complete * 100 >= least * len(judged),
            f"Start, end and outcome are known of {complete} of {len(judged)} promotions;"
            f" {least} % are needed",
        ),
        _judge_habit("target", facts.has_target, "No target is set for rates or lead times"),
        _judge_habit(
            "viewed",
            _is_viewed(facts, days),
            f"Nobody of the team viewed the measures in {days} days",
        ),
    )
    return Tally(conditions, Fraction(sum(each.good for each in conditions)))


def count_strategies(facts: CheckFacts, window: CheckWindow) -> Tally:
    """The rollout strategies of production promotions that ended, so that their outcome is known."""
    used: dict[str, Unit] = {}
    for act in window.acts:
        if not facts.history.is_production(act.environment):
            continue
        detail = act.promotion
        strategy = (
            detail.strategy
            if detail is not None
            else next(
                (
                    facts.strategies[key]
                    for key in _ids_of(act.execution)
                    if key in facts.strategies
                ),
                "",
            )
        )
        has_outcome = is_complete(act)
        if strategy and has_outcome:
            used.setdefault(strategy, Unit(f"strategy-{strategy}", act.service, True))
    if not used:
        return Tally(value=Fraction(0))
    return Tally(tuple(used.values()), Fraction(len(used)))


def _ids_of(execution: Execution | None) -> tuple[str, ...]:
    return execution.ids if execution is not None else ()


@dataclass(frozen=True, slots=True)
class _Pace:
    """Promotions a week and service in a span, and how many production deployments failed of how many."""

    weekly: float
    failed: int
    of: int


def tell_throughput(facts: CheckFacts, window: CheckWindow) -> Tally:
    """1 where promotions a week and service rise over the windows and failures do not, else 0.

    Rise: the Theil–Sen slope over the windows is above 0; or the last is at the target and the
    slope not below 0. Failures are not worse: the share of the last window is at most that of
    those before, pooled. Definition: MATURITY, `measurement.5.throughput`.
    """
    spans = cut_span(facts.at, window.days, window.parameters["windows"])
    if facts.known_since is None or facts.known_since > spans[0].starts_at:
        return Tally(
            unmeasured=f"{len(spans)} windows of {window.days} days are compared; the record does"
            " not reach back so far."
        )
    paces = [_measure_pace(facts, span) for span in spans]
    slope = float(theilslopes([pace.weekly for pace in paces]).slope)
    is_at_target = (
        facts.throughput_target is not None and paces[-1].weekly >= facts.throughput_target
    )
    rises = slope > 0 or (is_at_target and slope >= 0)
    failed, of = sum(pace.failed for pace in paces[:-1]), sum(pace.of for pace in paces[:-1])
    worse = paces[-1].failed * of > failed * paces[-1].of
    told = ", ".join(f"{pace.weekly:.2f}" for pace in paces)
    units = (
        _judge_habit("pace", rises, f"Promotions a week and service do not rise: {told}"),
        _judge_habit("failures", not worse, "More of the deployments failed in the last window"),
    )
    return Tally(units, Fraction(int(rises and not worse)))


def _measure_pace(facts: CheckFacts, span: Span) -> _Pace:
    acts = find_acts(facts, span)
    services = len(facts.services) or 1
    weeks = (span.ends_at - span.starts_at).days / DAYS_A_WEEK
    executions = find_executions(facts, span)
    failed = sum(bool(facts.history.judgement.findings_on(each)) for each in executions)
    return _Pace(len(acts) / weeks / services, failed, len(executions))


def lack_anomalies(_facts: CheckFacts, _window: CheckWindow) -> Tally:
    """Anomalies are not among the facts of the checks, so that nothing can be counted."""
    return Tally(
        unmeasured="What was done about anomalies is on record, and not counted here yet.",
    )


def lack_looks(_facts: CheckFacts, _window: CheckWindow) -> Tally:
    """Nobody looks into the repositories afterwards, so that nothing can be counted."""
    return Tally(
        unmeasured="Repositories are not looked into again after a deployment, so what is still"
        " there is not on record."
    )
