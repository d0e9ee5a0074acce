"""The leadership's page of maturity: where teams stand, what they share, and what goes out of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from metrics.charts import draw_calibration, draw_levels
from metrics.leadership import Landscape, TeamRow, end_of_cycle, find_landscape, list_cycles
from metrics.maturity.landscape import Shared
from metrics.maturity_exports import list_heatmap, write_landscape
from metrics.spreadsheets import write_csv
from promotion.formats import format_percent

SHARED_SHOWN = 8


def read_time(request: HttpRequest) -> tuple[str, datetime]:
    """The quarter asked for and the time it is looked at: its end, or now; 404 for another form."""
    now, cycle = timezone.now(), request.GET.get("cycle", "")
    if not cycle:
        return "", now
    end = end_of_cycle(cycle)
    if end is None:
        raise Http404
    return cycle, min(end, now)


@require_safe
def show_landscape(request: HttpRequest) -> HttpResponse:
    """Teams by categories, claimed and verified in one cell, and what many have in common."""
    cycle, at = read_time(request)
    landscape = find_landscape(request.user, at)
    model = landscape.model
    levels, has_months = model.levels, bool(landscape.months)
    context = {
        "landscape": landscape,
        "model": model,
        "sentence": tell_landscape(landscape),
        "rows": [_show_row(landscape, row) for row in landscape.rows],
        "levels": list(reversed(levels)),
        "spread": _show_spread(landscape),
        "charts": [
            draw_levels(landscape.months, levels, word="verified"),
            draw_levels(landscape.months, levels, word="claimed"),
            draw_calibration(landscape.months),
        ]
        if has_months
        else [],
        "contradictions": _show_shared(landscape.contradictions),
        "blockers": _show_shared(landscape.blockers),
        "defined": None
        if landscape.defined_share is None
        else format_percent(landscape.defined_share, landscape.production_promotions),
        "cycle": cycle,
        "cycles": list_cycles(),
        "query": f"?cycle={cycle}" if cycle else "",
        "nav_section": "maturity",
    }
    return render(request, "metrics/maturity.html", context)


def tell_landscape(landscape: Landscape) -> str:
    """The sentence that opens the page: how many claims the facts contradict, and how many stand."""
    assessed = landscape.assessed
    if not landscape.rows:
        return "There is no team yet."
    if not assessed:
        return f"None of {len(landscape.rows)} teams has agreed an assessment yet."
    backed = sum(row.level.verified >= row.level.claimed for row in assessed if row.level)
    have = "has its" if backed == 1 else "have their"
    sentence = f"{backed} of {len(assessed)} assessed teams {have} claimed level verified."
    found = landscape.calibration
    if found.of:
        are = "is" if found.above == 1 else "are"
        sentence += f" {found.above} of {found.of} measured claims {are} higher than the facts."
    return sentence


def _show_row(landscape: Landscape, row: TeamRow) -> dict[str, Any]:
    level = row.level
    if level is None:
        return {"row": row, "cells": []}
    claimed, verified = level.result["claimed"], level.result["verified"]
    cells = [
        _show_cell(claimed["categories"][each.id], verified["categories"][each.id])
        for each in landscape.model.categories
    ]
    return {
        "row": row,
        "cells": [*cells, _show_cell(level.claimed, level.verified)],
        "provisional": level.result["provisional"],
    }


def _show_cell(claimed: int, verified: int) -> dict[str, Any]:
    return {"claimed": claimed, "verified": verified, "gap": claimed - verified}


def _show_spread(landscape: Landscape) -> list[dict[str, Any]]:
    """Teams per verified level, overall and by category, as one table."""
    summary = landscape.summary
    named = [(each.title, summary.categories[each.id]) for each in landscape.model.categories]
    return [
        {
            "title": title,
            "counts": [spread.teams_per_level[level.number] for level in landscape.model.levels],
            "median": spread.median,
            "lowest": spread.lowest,
        }
        for title, spread in [*named, ("Overall", summary.overall)]
    ]


def _show_shared(found: Iterable[Shared]) -> list[dict[str, Any]]:
    return [
        {
            "statement": each.statement,
            "count": len(each.teams),
            "teams": ", ".join(each.teams),
        }
        for each in list(found)[:SHARED_SHOWN]
    ]


@require_safe
def export_json(request: HttpRequest) -> HttpResponse:
    """The page as JSON."""
    _, at = read_time(request)
    return JsonResponse(write_landscape(find_landscape(request.user, at)))


@require_safe
def export_csv(request: HttpRequest) -> HttpResponse:
    """The heatmap as CSV; each row names model, version and as-of."""
    _, at = read_time(request)
    return answer_csv(list_heatmap(find_landscape(request.user, at)), f"maturity-{at:%Y-%m-%d}")


def answer_csv(rows: Iterable[tuple[Any, ...]], name: str) -> HttpResponse:
    """Rows as a CSV file of that name."""
    answer = HttpResponse(write_csv(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer
