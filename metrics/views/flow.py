"""Flow: where time goes between asking and running, what gates cost and caught, what waits."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from metrics.charts.flow import PART_WORDS, draw_throughput, draw_waiting
from metrics.flows import Control, Cost, Flow, Outcome, Parts
from metrics.measures.flow import PARTS
from metrics.measures.results import DEFINITION
from metrics.models import FlowFact
from promotion.formats import format_age, format_number, format_percent, format_span
from promotion.gates.known import GATES

from .filtering import make_bar, read_asked
from .lag import read_lags

PAGE = 50
BATCH = 2000
AGE_WORDS = ("under 1 h", "1 h to 1 d", "1 to 3 d", "3 to 7 d", "7 to 30 d", "30 d and more")
CSV_COLUMNS = (
    *("definition", "from", "to", "as_of", "promotion", "service", "environment", "kind"),
    *("strategy", "state", "asked_at", "started_at", "ended_at"),
    *(f"{name}_seconds" for name in PARTS),
    *("lead_seconds", "manual_steps", "hand_offs"),
)


@require_safe
def show_flow(request: HttpRequest) -> HttpResponse:
    """The flow of a period."""
    flow = Flow(read_asked(request))
    parts = flow.parts()
    costs = flow.costs()
    context: dict[str, Any] = {
        "bar": make_bar(flow.asked),
        "definition": DEFINITION,
        "sentence": tell_flow(parts, costs),
        "parts": parts,
        "part_rows": _tell_parts(parts),
        "costs": [_tell_cost(cost, parts.n) for cost in costs],
        "charts": _draw(flow, parts) if parts.n else [],
        "empty": tell_empty(flow, parts),
        **_tell_lead(flow),
        **_tell_work(flow),
        "controls": [_tell_control(each) for each in flow.controls()],
        "hands": _tell_hands(flow),
        "outcomes": [_tell_outcome(each) for each in flow.outcomes()],
        **_tell_lags(flow, request.GET.get("services")),
        "nav_section": "measure",
    }
    return render(request, "metrics/flow.html", context)


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


def _draw(flow: Flow, parts: Parts) -> list[Any]:
    series = [(period, each.n, each.means) for period, each in flow.parts_by_step()]
    longest = max(PARTS, key=lambda name: parts.means[name])
    title = f"Most time goes to: {PART_WORDS[longest].lower()}"
    weeks = [(week.period, week.deployments, week.intents) for week in flow.throughput()]
    deployed = sum(count for _, count, _ in weeks)
    return [
        draw_waiting(series, flow.step, title),
        draw_throughput(
            weeks, flow.step, f"{format_number(deployed)} deployments in {len(weeks)} {flow.step}s"
        ),
    ]


def _tell_parts(parts: Parts) -> list[dict[str, Any]]:
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


def _tell_cost(cost: Cost, n: int) -> dict[str, Any]:
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


def _tell_lead(flow: Flow) -> dict[str, Any]:
    lead = flow.lead()
    return {
        "lead": lead,
        "lead_cells": [
            (f"p{share * 100:.0f}", "too few" if value is None else format_span(value))
            for share, value in lead.percentiles
        ],
    }


def _tell_work(flow: Flow) -> dict[str, Any]:
    work, at = flow.open_work(), flow.asked.as_of
    return {
        "work": work,
        "work_bands": list(zip(AGE_WORDS, work.by_age, work.builds_by_age, strict=True)),
        "work_oldest": [(each, format_age(at - each.asked_at)) for each in work.oldest],
        "builds_waiting": sum(work.builds_by_age),
    }


def _tell_lags(flow: Flow, number: str | None) -> dict[str, Any]:
    """What lags now; of an earlier as-of nothing is told, since only what runs now is known."""
    if not flow.asked.is_now:
        return {"is_now": False}
    lags, page = read_lags(flow, number)
    return {"is_now": True, "lags": lags, "service_page": page}


def _tell_control(control: Control) -> dict[str, Any]:
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


def _tell_hands(flow: Flow) -> dict[str, Any]:
    hands = flow.hands()
    return {
        "n": hands.n,
        "steps": f"{hands.manual_steps / hands.n:.1f}" if hands.n else "",
        "offs": f"{hands.hand_offs / hands.n:.1f}" if hands.n else "",
        "with_manual": format_percent(hands.with_manual / hands.n, hands.n) if hands.n else "",
    }


def _tell_outcome(outcome: Outcome) -> dict[str, Any]:
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


@require_safe
def list_flow_rows(request: HttpRequest) -> HttpResponse:
    """The promotions behind the flow, the slowest first; `gate` and `rule` keep what these held."""
    flow = Flow(read_asked(request))
    gate, rule = request.GET.get("gate", "")[:40], request.GET.get("rule", "")[:100]
    rows = flow.rows(gate=gate.replace("\x00", ""), rule=rule.replace("\x00", ""))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "bar": make_bar(flow.asked),
        "page": page,
        "gate": name_gate(gate, rule) if gate else "",
        "rows": [(each, _tell_row(each)) for each in page.object_list],
        "definition": DEFINITION,
        "nav_section": "measure",
    }
    return render(request, "metrics/flow_rows.html", context)


def _tell_row(fact: FlowFact) -> dict[str, str]:
    return {
        "lead": format_span(timedelta(seconds=fact.lead)),
        "parts": ", ".join(
            f"{PART_WORDS[name].lower()} {format_span(getattr(fact, name))}"
            for name in PARTS
            if getattr(fact, name)
        ),
    }


@require_safe
def export_flow(request: HttpRequest) -> StreamingHttpResponse:
    """All promotions behind the flow, as CSV."""
    flow = Flow(read_asked(request))
    response = StreamingHttpResponse(_write(flow), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="flow.csv"'
    return response


class _Echo:
    """Gives each written line back, for the writer to stream."""

    def write(self, line: str) -> str:
        return line


def _write(flow: Flow) -> Iterator[str]:
    writer, period = csv.writer(_Echo()), flow.asked.period
    yield writer.writerow(CSV_COLUMNS)
    for fact in flow.rows().iterator(chunk_size=BATCH):
        yield writer.writerow(
            (
                *(DEFINITION, period.from_, period.to, flow.asked.as_of.isoformat()),
                *(f"P-{fact.promotion_id}", fact.service.slug, fact.environment, fact.kind),
                *(fact.strategy, fact.state, fact.asked_at.isoformat()),
                fact.started_at.isoformat() if fact.started_at else "",
                fact.at.isoformat(),
                *(f"{getattr(fact, name):.3f}" for name in PARTS),
                *(f"{fact.lead:.3f}", fact.manual_steps, fact.hand_offs),
            )
        )
