"""Figures as the pages write them, and the sentences that open a page; all from data."""

from dataclasses import dataclass

from metrics.described import COUNT, HOURS, Described
from metrics.figure import Figure
from metrics.measures.automated_share import AutomatedShare
from metrics.measures.build_to_production import BuildToProduction
from metrics.measures.failures import Failures
from metrics.measures.first_pass import FirstPass
from metrics.measures.journeys import FOR_APPROVAL
from metrics.measures.results import Summary
from metrics.measures.traceability import Traceability
from metrics.statistics import COUNT_BELOW, MEETS, MISSES, NOT_ENOUGH, SIGNAL, TOO_CLOSE, Interval
from promotion.formats import (
    MINUS,
    NO_BREAK,
    format_number,
    format_percent,
    format_points,
    format_span,
)

SECONDS = 3600
VERDICT_TEXT = {
    MEETS: "Meets target",
    MISSES: "Misses target",
    TOO_CLOSE: "Too close to call",
    NOT_ENOUGH: "Not enough data",
    "": "No target set",
}
VERDICT_STATUS = {MEETS: "passed", MISSES: "failed"}
NUMBER_WORDS = ("none", "one", "two", "three", "four", "five")


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure in the parts a ledger line has."""

    number: str
    unit: str
    is_muted: bool
    evidence: str
    interval: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """The difference to the period before; `arrow` an icon, `status` good, bad or neither."""

    text: str
    arrow: str
    status: str
    note: str


def show(described: Described, summary: Summary) -> Shown:
    """A figure from n units, as honestly as n allows."""
    n = summary.n
    if not n:
        return Shown("", "", True, "no data", "")
    if described.unit == HOURS:
        return _show_hours(summary)
    if described.unit == COUNT:
        count = int(summary.value or 0)
        return Shown(
            format_number(count),
            "",
            False,
            f"in {format_number(n)} {described.unit_word}",
            _tell_counts(summary.interval),
        )
    k = int(summary.numerator or 0)
    evidence = f"{format_number(k)} of {format_number(n)} {described.unit_word}"
    if n < COUNT_BELOW:
        return Shown(f"{k} of {n}", "", True, f"{described.unit_word}; too few for a share", "")
    number, _, unit = format_percent(summary.value, n, headline=True).partition(NO_BREAK)
    return Shown(number, unit, n < 20, evidence, _tell_shares(summary.interval))


def _show_hours(summary: Summary) -> Shown:
    if summary.value is None:
        text = f"n = {summary.n}; a median needs {COUNT_BELOW}"
        return Shown("", "", True, text, "")
    words = format_span(summary.value * SECONDS).split(NO_BREAK)
    number, unit = words[0], NO_BREAK.join(words[1:])
    return Shown(
        number,
        unit,
        summary.n < 20,
        f"n = {format_number(summary.n)}",
        tell_hours(summary.interval),
    )


def _tell_shares(interval: Interval | None) -> str:
    if interval is None or interval.low is None or interval.high is None:
        return ""
    low, high = (f"{bound * 100:.1f}" for bound in (interval.low, interval.high))
    return f"95{NO_BREAK}% interval {low} to {high}"


def _tell_counts(interval: Interval | None) -> str:
    if interval is None or interval.low is None or interval.high is None:
        return ""
    return f"95{NO_BREAK}% interval {interval.low:.1f} to {interval.high:.1f}"


def tell_hours(interval: Interval | None) -> str:
    """The interval of a median, open ends said in words."""
    if interval is None:
        return ""
    low = "0" if interval.low is None else format_span(interval.low * SECONDS)
    if interval.high is None:
        return f"95{NO_BREAK}% interval from {low} up"
    return f"95{NO_BREAK}% interval {low} to {format_span(interval.high * SECONDS)}"


def tell_target(described: Described, target: float | None) -> str:
    """A target as it stands beside its figure."""
    if target is None:
        return "No target set"
    if described.unit == HOURS:
        value = format_span(target * SECONDS)
    elif described.unit == COUNT:
        value = f"{format_number(target * 100)} in 100"
    else:
        value = format_percent(target)
    return f"Target {described.target_sign} {value}"


def tell_more(figure: Figure) -> str:
    """What a measure adds to its number: range, rate, slow tenth, what is missing most."""
    result = figure.result
    if isinstance(result, AutomatedShare) and result.n:
        return _tell_automated(result)
    if isinstance(result, BuildToProduction) and result.spread.p90.value is not None:
        return f"slowest tenth above {format_span(result.spread.p90.value * SECONDS)}"
    if isinstance(result, Traceability) and result.missing:
        link, lacking = max(result.missing.items(), key=lambda each: each[1])
        return f"{link} is missing most, {lacking} times"
    if isinstance(result, Failures) and result.rate is not None:
        interval = _tell_shares(result.rate_interval)
        return f"{format_percent(result.rate, result.n)} of deployments; {interval}"
    if isinstance(result, FirstPass) and result.immature:
        return f"{result.immature} still in their watch window"
    return ""


def _tell_automated(result: AutomatedShare) -> str:
    parts = []
    if result.unknown and result.low is not None and result.high is not None:
        parts.append(
            f"{result.unknown} unknown: between {format_percent(result.low)}"
            f" and {format_percent(result.high)}"
        )
    if result.is_upper_bound:
        parts.append(
            f"upper bound: {result.targets_observed} of {result.targets} targets observed in 24{NO_BREAK}h"
        )
    return "; ".join(parts)


def tell_change(figure: Figure) -> Change | None:
    """The difference to the period before; None where one of the two is missing."""
    change = figure.change
    if change is None or min(figure.result.n, figure.before.n) < COUNT_BELOW:
        return None
    described = figure.described
    if described.unit == HOURS:
        sign = "+" if change > 0 else MINUS if change < 0 else ""
        text = sign + format_span(abs(change) * SECONDS)
    elif described.unit == COUNT:
        sign = "+" if change > 0 else ""
        text = f"{sign}{format_number(change * 100, 1)} in 100"
    else:
        text = format_points(change)
    arrow = "trending-up" if change > 0 else "trending-down" if change < 0 else "minus"
    comparison = figure.comparison
    if comparison is None:
        return Change(text, arrow, "unknown", "against the period before")
    if comparison.verdict != SIGNAL:
        return Change(text, arrow, "unknown", "within noise")
    is_good = (change > 0) == described.is_higher_better
    return Change(text, arrow, "passed" if is_good else "failed", "signal")


def open_measures(figures: list[Figure]) -> str:
    """The sentence that opens the measures: how they stand, and where the time goes."""
    if not any(figure.result.n for figure in figures):
        return figures[0].result.no_data or "There is nothing to measure yet."
    judged = [figure for figure in figures if figure.target is not None]
    sentences = [_open_verdicts(judged) if judged else _open_values(figures)]
    unset = len(figures) - len(judged)
    if judged and unset:
        sentences.append(f"{NUMBER_WORDS[unset].capitalize()} without a target.")
    spans = next(f.result for f in figures if isinstance(f.result, BuildToProduction))
    if spans.value is not None:
        sentences.append(_open_spans(spans))
    return " ".join(sentences)


def _open_verdicts(judged: list[Figure]) -> str:
    words = ((MEETS, "meet", "meets"), (MISSES, "miss", "misses"))
    parts = []
    for verdict, many, one in words:
        count = sum(figure.verdict == verdict for figure in judged)
        if count:
            parts.append(f"{NUMBER_WORDS[count]} {one if count == 1 else many} the target")
    close = sum(figure.verdict == TOO_CLOSE for figure in judged)
    if close:
        parts.append(f"{NUMBER_WORDS[close]} {'is' if close == 1 else 'are'} too close to call")
    few = sum(figure.verdict == NOT_ENOUGH for figure in judged)
    if few:
        parts.append(f"{NUMBER_WORDS[few]} {'has' if few == 1 else 'have'} not enough data")
    return f"Of {NUMBER_WORDS[len(judged)]} measures with a target {', '.join(parts)}."


def _open_values(figures: list[Figure]) -> str:
    share, first = figures[0], figures[1]
    parts = []
    if share.result.n:
        text = format_percent(share.result.value, share.result.n)
        parts.append(f"{text} of production deployments were automated")
    if first.result.n:
        text = format_percent(first.result.value, first.result.n)
        parts.append(f"{text} of promotions to production passed at the first attempt")
    told = " and ".join(parts) or "Nothing reached production in this period"
    return f"{told[:1].upper()}{told[1:]}; no target is set."


def _open_spans(spans: BuildToProduction) -> str:
    median = format_span((spans.value or 0) * SECONDS)
    waits = next((part for part in spans.mean_parts if part.name == FOR_APPROVAL), None)
    if waits is None or waits.share is None:
        return f"Build to production takes {median} in the median."
    return (
        f"Build to production takes {median} in the median;"
        f" waiting for approval is {format_percent(waits.share)} of the mean time."
    )


def find_shares_title(figures: list[Figure]) -> str:
    """The finding of the chart of shares: the largest change that is no noise."""
    told = [
        (figure, change)
        for figure in figures
        if (change := tell_change(figure)) is not None and change.note == SIGNAL
    ]
    if not told:
        return "No share changed beyond chance"
    figure, change = max(told, key=lambda each: abs(each[0].change or 0))
    verb = "rose" if (figure.change or 0) > 0 else "fell"
    return f"{figure.described.title} {verb} by {change.text.lstrip('+' + MINUS)}"


def find_parts_title(spans: BuildToProduction) -> str:
    """The finding of the chart of parts: what takes longest."""
    if not spans.mean_parts:
        return "Where the time goes"
    longest = max(spans.mean_parts, key=lambda part: part.hours)
    return f"{longest.name.capitalize()} takes {format_percent(longest.share)} of the time"
