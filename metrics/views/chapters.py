"""What the page of one measure tells beside its number: charts, a ladder, facts in pairs."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from metrics.charts import (
    Chart,
    Mean,
    draw_classes,
    draw_failures,
    draw_links,
    draw_parts,
    draw_share,
    draw_spans,
)
from metrics.described import LINK_WORDS
from metrics.figure import Figure
from metrics.measures.automated_share import AutomatedShare, count_at_target
from metrics.measures.build_to_production import BuildToProduction, Spread
from metrics.measures.failures import Failures
from metrics.measures.first_pass import FirstPass, Ladder
from metrics.measures.traceability import Traceability
from metrics.reports import Report
from metrics.rollups.spans import mean_parts
from metrics.rollups.tallies import EXACT_UP_TO
from promotion.formats import NO_BREAK, format_number, format_percent, format_span

from .telling import SECONDS, find_parts_title, tell_hours

Facts = list[tuple[str, str]]
DOTS = 1500  # of a chart: more take long to draw and cover each other


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of the ladder: how many of the promotions came so far."""

    name: str
    count: int
    of: int


def add_chapter(context: dict[str, Any], report: Report, figure: Figure) -> None:
    """Adds `charts`, `facts` and what else the measure has to the context of its page."""
    result = figure.result
    context["charts"], context["facts"] = [], []
    if isinstance(result, AutomatedShare):
        _add_automated(context, report, figure, result)
    elif isinstance(result, FirstPass):
        _add_first_pass(context, report, figure, result)
    elif isinstance(result, BuildToProduction):
        _add_spans(context, report, figure, result)
    elif isinstance(result, Traceability):
        _add_traceability(context, report, figure, result)
    elif isinstance(result, Failures):
        _add_failures(context, report, figure, result)
    if not result.n:
        context["charts"] = []
    context["accuracy"] = _tell_accuracy(result)


def _draw_over_time(report: Report, figure: Figure, title: str) -> Chart:
    return draw_share(figure.described, figure.buckets, report.step, figure.target, title)


def _add_automated(
    context: dict[str, Any], report: Report, figure: Figure, result: AutomatedShare
) -> None:
    by_hand = result.manual + result.out_of_band
    title = (
        f"{by_hand} of {result.n} deployments were made by hand or out of band"
        if by_hand
        else "No deployment was made by hand"
    )
    context["charts"] = [
        draw_classes(_count_classes(report), report.asked.period, report.step, figure.target, title)
    ]
    facts: Facts = [
        ("Automated here", format_number(result.automated_by_us)),
        ("Automated by other tools", format_number(result.automated_by_others)),
        ("By a person", format_number(result.manual)),
        ("Out of band", format_number(result.out_of_band)),
        ("Unknown", format_number(result.unknown)),
    ]
    if result.low is not None and result.high is not None and result.unknown:
        facts.append(
            ("Range over unknown", f"{format_percent(result.low)} to {format_percent(result.high)}")
        )
    if figure.target is not None:
        meeting, of = count_at_target(result, figure.target)
        facts.append(("At target", f"{meeting} of {of} services, by their whole interval"))
    if result.targets:
        bound = "; the share is an upper bound" if result.is_upper_bound else ""
        seen = f"{result.targets_observed} of {result.targets} targets in the last 24{NO_BREAK}h"
        facts.append(("Observation coverage", f"{seen}{bound}"))
    context["facts"] = facts


def _add_first_pass(
    context: dict[str, Any], report: Report, figure: Figure, result: FirstPass
) -> None:
    lost = result.executed - result.soaked
    title = (
        f"{lost} that went right at first did not stay good"
        if lost
        else "What went right at first stayed good"
    )
    context["charts"] = [_draw_over_time(report, figure, title)]
    context["ladder"] = [
        Rung("Executed the first time", result.executed, result.denominator),
        Rung("Still good after the watch window", result.soaked, result.denominator),
        Rung("Succeeded at last", result.eventual, result.denominator),
    ]
    everywhere = report.compute("first_pass", is_leading=False)
    if isinstance(everywhere, FirstPass):
        context["environments"] = [_tell_ladder(each) for each in everywhere.by_environment]
    verdicts = report.count_verdicts("first_pass")
    refused = sum(verdicts.get(name, 0) for name in ("failed", "errored", "cancelled"))
    repeated = verdicts.get("retried", 0)
    context["facts"] = [
        ("First attempt failed, broke or was cancelled", format_number(refused)),
        ("A step repeated by a person", format_number(repeated)),
        ("Watch window still runs", format_number(result.immature)),
    ]


def _count_classes(report: Report) -> list[Counter[str]]:
    """The classes of measure 1 in each part of the period, ours and others' apart."""
    counts = []
    for tallied in report.tally_buckets("automated_share"):
        others = tallied.tally.of("others")
        count = Counter(tallied.tally.named("verdict"))
        automated = count.pop("automated", 0)
        count["automated by us"], count["automated by others"] = automated - others, others
        counts.append(+count)  # without zeros
    return counts


def draw_mean_parts(report: Report, result: BuildToProduction) -> Chart:
    """The parts of the time from build to production, in each part of the period."""
    held = [
        Mean(tallied.tally.of("n"), mean_parts(tallied.tally))
        for tallied in report.tally_buckets("build_to_production")
    ]
    whole = Mean(result.n, result.mean_parts)
    title = find_parts_title(result)
    return draw_parts(whole, held, report.asked.period, report.step, title)


def _tell_ladder(ladder: Ladder) -> dict[str, Any]:
    return {
        "name": ladder.name,
        "n": ladder.denominator,
        "executed": ladder.executed,
        "soaked": ladder.soaked,
        "eventual": ladder.eventual,
        "value": format_percent(ladder.value, ladder.denominator),
    }


def _add_spans(
    context: dict[str, Any], report: Report, figure: Figure, result: BuildToProduction
) -> None:
    median = result.spread.p50.value
    title = (
        f"Half of the releases take longer than {format_span(median * SECONDS)}"
        if median is not None
        else f"{result.n} releases; a median needs 5"
    )
    context["charts"] = [
        draw_spans(
            report.sample("build_to_production", result.n, DOTS),
            result.n,
            figure.buckets,
            report.step,
            figure.target,
            title,
        ),
        draw_mean_parts(report, result),
    ]
    context["spreads"] = [
        _tell_spread("Until the first production target", result.spread),
        _tell_spread("Until all production targets", result.until_all),
        _tell_spread("Hotfixes apart", result.hotfixes),
    ]
    context["parts"] = [
        (part.name, format_span(part.hours * SECONDS), format_percent(part.share))
        for part in result.mean_parts
    ]
    cohort = result.cohort
    facts: Facts = [("Built in the period", format_number(cohort.n))]
    facts += [
        (f"In production after {days} d", format_percent(share, cohort.n))
        for days, share in cohort.in_production
        if cohort.n
    ]
    if cohort.n:
        facts.append(("Superseded by a later build", format_percent(cohort.superseded, cohort.n)))
        facts.append(("Still waiting", format_percent(cohort.waiting, cohort.n)))
    if result.negative:
        facts.append(("Spans below zero, set aside", format_number(len(result.negative))))
    context["facts"] = facts


def _tell_accuracy(result: Any) -> str:
    """Whether percentiles are of every single duration."""
    if not isinstance(result, BuildToProduction) or not result.n:
        return ""
    if result.n <= EXACT_UP_TO:
        return "Percentiles are exact."
    return (
        f"Percentiles of more than {format_number(EXACT_UP_TO)} releases are read from sums"
        " by day and are within 1 % of the exact ones."
    )


def _tell_spread(name: str, spread: Spread) -> dict[str, Any]:
    cells = []
    for percentile, needed in ((spread.p50, 5), (spread.p75, 12), (spread.p90, 30)):
        if percentile.value is None:
            cells.append({"text": f"needs n = {needed}", "note": "", "is_missing": True})
        else:
            text = format_span(percentile.value * SECONDS)
            cells.append({"text": text, "note": tell_hours(percentile.interval)})
    return {"name": name, "n": spread.n, "cells": cells}


def _add_traceability(
    context: dict[str, Any], report: Report, figure: Figure, result: Traceability
) -> None:
    if result.missing:
        link, lacking = max(result.missing.items(), key=lambda each: each[1])
        links_title = f"{LINK_WORDS.get(link, link)} is missing most: {lacking} releases lack it"
    else:
        links_title = "No link is missing"
    complete = int(result.numerator or 0)
    context["charts"] = [
        draw_links(result.coverage, links_title),
        _draw_over_time(report, figure, f"{complete} of {result.n} releases have every link"),
    ]
    strict = result.complete_when_deployed
    context["facts"] = [
        ("Complete", f"{complete} of {result.n}"),
        (
            "Complete when it was deployed",
            f"{strict} of {result.n} ({format_percent(strict / result.n, result.n)})"
            if result.n
            else "none yet",
        ),
    ]


def _add_failures(
    context: dict[str, Any], report: Report, figure: Figure, result: Failures
) -> None:
    count = result.count or 0
    title = f"{count} of {result.n} production deployments failed" if count else "None failed"
    context["charts"] = [draw_failures(figure.buckets, report.step, title)]
    recovery = (
        format_span(result.recovery_p50_hours * SECONDS)
        if result.recovery_p50_hours is not None
        else "needs 5 failures, half of them put right"
    )
    context["facts"] = [
        ("Rate per deployment", format_percent(result.rate, result.n)),
        ("Median recovery time", recovery),
        ("Put right, still open", f"{result.recovered}, {result.open}"),
        ("Contained before all targets had it", format_number(len(result.contained))),
        ("Rework: unplanned deployments", format_percent(result.rework_rate, result.n)),
        ("Incidents without a deployment", format_number(len(result.incidents_without_deployment))),
        ("Suspected incidents, not counted", format_number(len(result.suspected_incidents))),
        ("Disputed incidents, not counted", format_number(len(result.disputed_incidents))),
        ("Watch window still runs", format_number(result.immature)),
    ]
