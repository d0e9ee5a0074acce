"""The sentence of an anomaly: what was seen, what is usual, by which rule."""

from datetime import date

from metrics.anomalies.base import FAR_APART, NEAR, OUTSIDE, SHARE, SHIFT, SIDE, Finding
from metrics.described import DESCRIBED
from promotion.formats import NO_BREAK, format_number, format_percent, format_span

from .candidates import DURATION, QUIET, THROUGHPUT

PERCENT, NUMBER, TIME = "share", "count", "hours"
SECONDS = 3600
RULE_WORDS = {
    OUTSIDE: "One point outside the natural limits",
    SIDE: "Eight or more in a row on one side of the mean",
    NEAR: "Three of four nearer a limit than the mean",
    SHARE: "Share outside the limits of its n",
    FAR_APART: "Deployments between failures",
    SHIFT: "Lasting shift",
    "slow": "Slower than its kind",
    "silence": "Unusual silence",
}
MEASURE_WORDS = {
    **{name: described.title for name, described in DESCRIBED.items()},
    THROUGHPUT: "Production deployments per week",
    DURATION: "Time a promotion runs",
    QUIET: "Silence",
}
RULE_HELP = {
    OUTSIDE: "XmR: the mean ± 2.66 times the mean moving range of the baseline.",
    SIDE: "XmR: eight points in a row on the same side of the mean of the baseline.",
    NEAR: "XmR: of four points in a row three lie nearer the same limit than the mean.",
    SHARE: "p-chart: the pooled share ± 3 standard deviations for the n of the week, Laney's wider"
    " ones where the baseline varies more than chance does; the exact binomial tail below n = 10.",
    FAR_APART: "g-chart: deployments between failures, with probability limits of 0.00135, or eight"
    " gaps in a row on one side of the median.",
    SHIFT: "PELT on weekly values: the level before and after the last change.",
    "slow": "Modified z above 3.5 on the logarithm of the time, among promotions of the same service"
    " and stage that succeeded in the last year.",
    "silence": "Quiet for longer than 99 of 100 of its own gaps, counted between hours in which"
    " something came.",
}


def tell_value(value: float | None, unit: str) -> str:
    """A value in its unit; open ends are no limit."""
    if value is None:
        return "no limit"
    if unit == PERCENT:
        return format_percent(value)
    if unit == TIME:
        return format_span(value * SECONDS)
    return format_number(value, 0 if float(value).is_integer() else 1)


def tell_day(day: date) -> str:
    """A day as pages write it."""
    return f"{day.day}{NO_BREAK}{day:%b}{NO_BREAK}{day.year}"


def tell_finding(measure: str, whose: str, finding: Finding, unit: str, days: list[date]) -> str:
    """What a rule found in a series of a measure, in one sentence."""
    name, limits = MEASURE_WORDS[measure], finding.limits
    first, last = tell_day(days[finding.first]), tell_day(days[finding.last])
    value, centre = tell_value(finding.value, unit), tell_value(limits.centre, unit)
    side = "above" if finding.is_high else "below"
    head = f"{name} of {whose}"
    usual = f"usual are {tell_value(limits.low, unit)} to {tell_value(limits.high, unit)}"
    if finding.rule == SHIFT:
        return f"{head} has been at {value} since {first}; before that it was at {centre}."
    if finding.rule == SIDE:
        count = finding.last - finding.first + 1
        return f"{head} lay {side} the mean of {centre} for {count} points in a row, {first} to {last}."
    if finding.rule == NEAR:
        return f"{head} lay nearer a limit than {centre} from {first} to {last}; {usual}."
    if finding.rule == FAR_APART:
        way = "further apart" if finding.is_high else "closer together"
        return f"Failures of {whose} came {way}: {value} deployments lay between those of {first} and {last}; {usual}."
    return f"{head} was {value} at {first}, {side} what is usual; {usual}."
