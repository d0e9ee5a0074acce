"""The flow of a period in words and charts, for its page."""

from typing import Any

from metrics.charts.flow import PART_WORDS, draw_coverage, draw_throughput, draw_waiting
from metrics.flow_results import Control, Cost, Outcome, Parts
from metrics.flows import Flow
from metrics.measures.flow import PARTS
from metrics.measures.periods import Period, split_period
from metrics.models import FlowFact
from metrics.reports import open_report
from promotion.formats import format_age, format_number, format_percent, format_span
from promotion.gates.known import GATES

from .lag import read_lags

AGE_WORDS = ("under 1 h", "1 h to 1 d", "1 to 3 d", "3 to 7 d", "7 to 30 d", "30 d and more")


def name_gate(gate: str, rule: str = "") -> str:
    """A gate by its title, an approval rule by its name."""
    title = GATES[gate].title if gate in GATES else gate
    return f"{title}: {rule}" if rule else title


def tell_flow(parts: Parts, costs: list[Cost]) -> str:
    """The finding in a sentence or two."""
    if not parts.n:
        return "No promotion ended in this period, so there is no time to tell apart."
    waited = parts.lead - parts.means["running"]
    share = format_percent(waited / parts.lead) if parts.lead else format_percent(0.0)
    said = f"{share} of the time from asking to the end was waiting, over {parts.n} promotions."
    if costs and costs[0].held:
        first = costs[0]
        said += (
            f" {name_gate(first.gate, first.rule)} held longest:"
            f" {format_span(first.held)} in all, {format_span(first.alone)} of it alone."
        )
    return said


def tell_empty(flow: Flow, parts: Parts) -> str:
    """Why there is nothing, in a sentence; empty where there is something."""
    if parts.n:
        return ""
    if not flow.environments:
        return "There is no production environment. Give one the tier production."
    if flow.asked.is_narrowed:
        return "No promotion that ended in this period fits the filter."
    if not FlowFact.objects.exists():
        return "No promotion has ended yet. Flow is counted once one has."
    return "No promotion to production ended in this period. Choose more days, or an environment."


def draw_flow(flow: Flow, parts: Parts) -> list[Any]:
    """The charts over time: the parts of the waiting, throughput, coverage."""
    series = [(period, each.n, each.means) for period, each in flow.parts_by_step()]
    longest = max(PARTS, key=lambda name: parts.means[name])
    title = f"Most time goes to: {PART_WORDS[longest].lower()}"
    weeks = [(week.period, week.deployments, week.intents) for week in flow.throughput()]
    deployed = sum(count for _, count, _ in weeks)
    coverage = [("Checksum", flow.checksums()), ("Signature", read_signatures(flow))]
    return [
        draw_waiting(series, flow.step, title),
        draw_throughput(
            weeks, flow.step, f"{format_number(deployed)} deployments in {len(weeks)} {flow.step}s"
        ),
        draw_coverage(coverage, flow.step, "Checksum and signature coverage"),
    ]


def read_signatures(flow: Flow) -> list[tuple[Period, int, int]]:
    """By week or month: releases in production with a verified signature, of those asked for one."""
    report = open_report(flow.asked)
    counted = report.tally_buckets("traceability")
    return [
        (
            part,
            tally.of("asked:signature") - tally.of("missing:signature"),
            tally.of("asked:signature"),
        )
        for part, tally in zip(
            split_period(flow.asked.period, flow.step),
            (each.tally for each in counted),
            strict=True,
        )
    ]


def tell_parts(parts: Parts) -> list[dict[str, Any]]:
    """Each part that took any time, with its mean and share."""
    if not parts.n:
        return []
    return [
        {
            "words": PART_WORDS[name],
            "mean": format_span(parts.means[name]),
            "share": format_percent(parts.means[name] / parts.lead) if parts.lead else "",
            "value": round(parts.means[name] / parts.lead * 1000) if parts.lead else 0,
        }
        for name in PARTS
        if parts.means[name]
    ]


def tell_cost(cost: Cost, n: int) -> dict[str, Any]:
    """What a gate or rule cost, of `n` promotions that ended."""
    caught = [
        f"{count} {word}"
        for count, word in (
            (cost.rejected, "rejected"),
            (cost.expired, "expired"),
            (cost.cancelled, "cancelled"),
        )
        if count
    ]
    return {
        "gate": cost.gate,
        "rule": cost.rule,
        "name": name_gate(cost.gate, cost.rule),
        "promotions": f"{format_number(cost.promotions)} of {format_number(n)}",
        "held": format_span(cost.held),
        "mean": format_span(cost.held / cost.promotions),
        "alone": format_span(cost.alone),
        "caught": ", ".join(caught) or "none",
        "passed": cost.passed,
    }


def tell_lead(flow: Flow) -> dict[str, Any]:
    """Lead time by percentile; too few where n is too small."""
    lead = flow.lead()
    return {
        "lead": lead,
        "lead_cells": [
            (f"p{share * 100:.0f}", "too few" if value is None else format_span(value))
            for share, value in lead.percentiles
        ],
    }


def tell_work(flow: Flow) -> dict[str, Any]:
    """What is open, by age and the oldest first."""
    work, at = flow.open_work(), flow.asked.as_of
    return {
        "work": work,
        "work_bands": list(zip(AGE_WORDS, work.by_age, work.builds_by_age, strict=True)),
        "work_oldest": [(each, format_age(at - each.asked_at)) for each in work.oldest],
        "builds_waiting": sum(work.builds_by_age),
    }


def tell_lags(flow: Flow, number: str | None) -> dict[str, Any]:
    """What lags now; of an earlier as-of nothing is told, since only what runs now is known."""
    if not flow.asked.is_now:
        return {"is_now": False}
    lags, page = read_lags(flow, number)
    return {"is_now": True, "lags": lags, "service_page": page}


def tell_control(control: Control) -> dict[str, Any]:
    """How one control was met."""
    interval = control.interval
    return {
        "name": name_gate(control.control),
        "met": format_percent(control.met / control.n, control.n),
        "of": f"{control.met} of {control.n}",
        "interval": (
            f"{format_percent(interval.low)} to {format_percent(interval.high)}"
            if interval and control.n >= 5
            else "too few"
        ),
        "excepted": control.excepted,
        "glass": control.glass,
        "missed": control.missed,
    }


def tell_hands(flow: Flow) -> dict[str, Any]:
    """Work by hand per promotion that started."""
    hands = flow.hands()
    return {
        "n": hands.n,
        "steps": f"{hands.manual_steps / hands.n:.1f}" if hands.n else "",
        "offs": f"{hands.hand_offs / hands.n:.1f}" if hands.n else "",
        "with_manual": format_percent(hands.with_manual / hands.n, hands.n) if hands.n else "",
    }


def tell_outcome(outcome: Outcome) -> dict[str, Any]:
    """What came of one strategy."""
    interval = outcome.interval
    good = outcome.succeeded - outcome.failed_later
    return {
        "strategy": outcome.strategy or "not in its pipeline",
        "n": outcome.n,
        "good": format_percent(good / outcome.n, outcome.n),
        "of": f"{good} of {outcome.n}",
        "interval": (
            f"{format_percent(interval.low)} to {format_percent(interval.high)}"
            if interval and outcome.n >= 5
            else "too few"
        ),
        "ended_badly": outcome.ended_badly,
        "failed_later": outcome.failed_later,
    }
