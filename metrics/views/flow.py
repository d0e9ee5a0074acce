"""Flow: where time goes between asking and running, what gates cost and caught, what waits."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from metrics.charts.flow import PART_WORDS
from metrics.exported import name_headers
from metrics.flows import Flow
from metrics.measures.flow import PARTS
from metrics.measures.results import DEFINITION
from metrics.models import FlowFact
from metrics.spreadsheets import write_csv
from promotion.formats import format_span

from .filtering import make_bar, read_asked
from .flow_telling import (
    draw_flow,
    name_gate,
    tell_control,
    tell_cost,
    tell_empty,
    tell_flow,
    tell_hands,
    tell_lags,
    tell_lead,
    tell_outcome,
    tell_parts,
    tell_work,
)

PAGE = 50
BATCH = 2000
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
        "part_rows": tell_parts(parts),
        "costs": [tell_cost(cost, parts.n) for cost in costs],
        "charts": draw_flow(flow, parts) if parts.n else [],
        "empty": tell_empty(flow, parts),
        **tell_lead(flow),
        **tell_work(flow),
        "controls": [tell_control(each) for each in flow.controls()],
        "hands": tell_hands(flow),
        "outcomes": [tell_outcome(each) for each in flow.outcomes()],
        **tell_lags(flow, request.GET.get("services")),
        "nav_section": "measure",
    }
    return render(request, "metrics/flow.html", context)


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
    response = StreamingHttpResponse(
        write_csv(_list(flow)),
        content_type="text/csv; charset=utf-8",
        headers=name_headers(flow.asked),
    )
    response["Content-Disposition"] = 'attachment; filename="flow.csv"'
    return response


def _list(flow: Flow) -> Iterator[tuple[object, ...]]:
    period = flow.asked.period
    yield CSV_COLUMNS
    for fact in flow.rows().iterator(chunk_size=BATCH):
        yield (
            *(DEFINITION, period.from_, period.to, flow.asked.as_of.isoformat()),
            *(f"P-{fact.promotion_id}", fact.service.slug, fact.environment, fact.kind),
            *(fact.strategy, fact.state, fact.asked_at.isoformat()),
            fact.started_at.isoformat() if fact.started_at else "",
            fact.at.isoformat(),
            *(f"{getattr(fact, name):.3f}" for name in PARTS),
            *(f"{fact.lead:.3f}", fact.manual_steps, fact.hand_offs),
        )
