"""The measures together, and one of them by itself."""

from dataclasses import dataclass, replace
from typing import Any, cast

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.actions.note_view import note_view
from metrics.actions.set_target import may_set_target
from metrics.charts import Chart, Mark, Sparkline, draw_shares, draw_sparkline, mark_chart
from metrics.described import BY_SLUG, SET_ASIDE_WORDS, Described
from metrics.emptiness import walk_chain
from metrics.figure import Figure
from metrics.marks import find_marks
from metrics.measures.build_to_production import BuildToProduction
from metrics.measures.periods import split_period
from metrics.measures.results import DEFINITION, Summary
from metrics.models import Anomaly
from metrics.reports import Report, open_report
from metrics.rollups.figures import Tallied, summarise
from metrics.rollups.tallies import Tally
from metrics.statistics import MISSES, judge_target, wilson
from promotion.models import User

from .chapters import add_chapter, draw_mean_parts
from .filtering import make_bar, read_asked
from .telling import (
    VERDICT_STATUS,
    VERDICT_TEXT,
    Change,
    Shown,
    find_shares_title,
    open_measures,
    show,
    tell_change,
    tell_more,
    tell_target,
)

SHARES = ("first_pass", "traceability", "automated_share")
SERVICES = 25
NOTHING = Tallied(Tally(), 0)


@dataclass(frozen=True, slots=True)
class Line:
    """One measure as a line of the ledger, or as the head of its own page."""

    described: Described
    shown: Shown
    spark: Sparkline
    verdict: str
    status: str
    target: str
    change: Change | None
    no_data: str | None
    is_provisional: bool
    has_target: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of one service; `misses` its target with its whole interval."""

    summary: Summary
    shown: Shown
    misses: bool


@require_safe
def list_measures(request: HttpRequest) -> HttpResponse:
    """The five key measures of a period: are we getting better, and why?"""
    report = open_report(read_asked(request))
    figures = report.figures(is_whole=False)
    by_name = {figure.described.name: figure for figure in figures}
    spans = cast(BuildToProduction, by_name["build_to_production"].result)
    charts = []
    if any(figure.result.n for figure in figures):
        series = [(by_name[name].described, by_name[name].buckets) for name in SHARES]
        charts = [
            draw_mean_parts(report, spans),
            draw_shares(series, report.step, find_shares_title([by_name[n] for n in SHARES])),
        ]
    marks = find_marks(report, tuple(by_name))
    context = {
        "bar": make_bar(report.asked),
        "sentence": open_measures(figures),
        "lines": [make_line(figure) for figure in figures],
        "charts": _mark(report, charts, marks),
        "open_anomalies": Anomaly.objects.open().count(),
        **_list_services(request, report, figures),
        "definition": DEFINITION,
        "has_data": bool(charts),
        "chain": [] if charts else walk_chain(report),
        "tracked_since": report.tracked_since,
        "fresh": report.fresh,
        "nav_section": "measure",
    }
    return render(request, "metrics/measure_list.html", context)


@require_safe
def show_measure(request: HttpRequest, slug: str) -> HttpResponse:
    """One measure: its definition beside its number, its charts, its services, its rows."""
    described = BY_SLUG.get(slug)
    if described is None:
        raise Http404
    report = open_report(read_asked(request))
    figure = report.figure(described.name)
    context: dict[str, Any] = {
        "bar": make_bar(report.asked),
        "described": described,
        "line": make_line(figure),
        "result": figure.result,
        "chain": walk_chain(report) if figure.result.no_data else [],
        "definition": DEFINITION,
        "aside": _count_aside(report, described),
        **_list_services(request, report, [figure]),
        "may_set_target": _may_set_target(request, report),
        "tracked_since": report.tracked_since,
        "fresh": report.fresh,
        "nav_section": "measure",
    }
    add_chapter(context, report, figure)
    marks = find_marks(report, (described.name,))
    context["charts"] = _mark(report, context["charts"], marks)
    context["unusual"] = sum(mark.is_anomaly for mark in marks)
    return render(request, "metrics/measure_detail.html", context)


def _mark(report: Report, charts: list[Chart], marks: list[Mark]) -> list[Chart]:
    """The charts over time with what stands at their dates."""
    parts = split_period(report.asked.period, report.step)
    return [mark_chart(chart, parts, marks) for chart in charts]


@require_POST
def tell_view(request: HttpRequest) -> HttpResponse:
    """A page of the measures was looked at; the page itself says so, a GET writes nothing."""
    note_view("measures", person=cast(User, request.user), at=timezone.now())
    return HttpResponse(status=204)


def make_line(figure: Figure) -> Line:
    """A figure in the words of the ledger."""
    described, result = figure.described, figure.result
    shown = show(described, figure.summary)
    return Line(
        described=described,
        shown=replace(shown, more=tell_more(figure)),
        spark=draw_sparkline(figure.buckets, _spark_target(figure)),
        verdict=VERDICT_TEXT[figure.verdict],
        status=VERDICT_STATUS.get(figure.verdict, "unknown"),
        target=tell_target(described, figure.target),
        change=tell_change(figure),
        no_data=result.no_data,
        is_provisional=result.provisional,
        has_target=figure.target is not None,
    )


def _spark_target(figure: Figure) -> float | None:
    """The line draws counts of failures, and their target is a rate: no common height."""
    return None if figure.described.name == "failures" else figure.target


def _list_services(request: HttpRequest, report: Report, figures: list[Figure]) -> dict[str, Any]:
    """A row for each service of a page with any data, its cells in the order of the figures."""
    page = Paginator(report.list_services(), SERVICES).get_page(request.GET.get("services"))
    shown = list(page.object_list)
    groups = [report.tally_services(figure.described.name, shown) for figure in figures]
    rows = []
    for key in shown:
        name, team = report.services[key]
        cells = [
            _make_cell(report, figure, group.get(key), name)
            for figure, group in zip(figures, groups, strict=True)
        ]
        if any(cell.summary.n for cell in cells):
            rows.append({"service": name, "team": team, "cells": cells})
    return {"services": rows, "service_page": page}


def _make_cell(report: Report, figure: Figure, tallied: Tallied | None, service: str) -> Cell:
    described = figure.described
    summary = summarise(described.name, tallied or NOTHING)
    target = report.targets.find(described.name, service=service)
    interval = summary.interval
    if described.name == "failures" and summary.n:
        interval = wilson(int(summary.numerator or 0), summary.n)
    misses = (
        target is not None
        and judge_target(interval, target, summary.n, described.is_higher_better) == MISSES
    )
    return Cell(summary, show(described, summary), misses)


def _count_aside(report: Report, described: Described) -> list[dict[str, Any]]:
    """What is not in the figure, counted, with the address of its rows."""
    counts = report.count_aside(described.name)
    return [
        {"key": key, "count": count, "words": SET_ASIDE_WORDS[key]}
        for key, count in counts.items()
        if count
    ]


def _may_set_target(request: HttpRequest, report: Report) -> bool:
    filters = report.asked.filters
    return may_set_target(cast(User, request.user), filters.team, filters.service)
