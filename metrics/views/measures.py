"""The measures together, and one of them by itself."""

from dataclasses import dataclass, replace
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.actions.note_view import note_view
from metrics.actions.set_target import may_set_target
from metrics.breakdown import group_by_service, summarise_rows
from metrics.charts import Sparkline, draw_parts, draw_shares, draw_sparkline
from metrics.described import BY_SLUG, SET_ASIDE_WORDS, Described
from metrics.facts import tracked_since
from metrics.measures.build_to_production import BuildToProduction
from metrics.measures.results import DEFINITION, Result, Summary
from metrics.reports import Figure, Report, find_services
from metrics.statistics import MISSES, judge_target, wilson
from promotion.models import User

from .chapters import add_chapter
from .filtering import make_bar, read_asked
from .telling import (
    VERDICT_STATUS,
    VERDICT_TEXT,
    Change,
    Shown,
    find_parts_title,
    find_shares_title,
    open_measures,
    show,
    tell_change,
    tell_more,
    tell_target,
)

SHARES = ("first_pass", "traceability", "automated_share")


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
    report = Report(read_asked(request))
    figures = report.figures()
    by_name = {figure.described.name: figure for figure in figures}
    spans = cast(BuildToProduction, by_name["build_to_production"].result)
    charts = []
    if any(figure.result.n for figure in figures):
        series = [(by_name[name].described, by_name[name].buckets) for name in SHARES]
        charts = [
            draw_parts(spans.rows, report.asked.period, report.step, find_parts_title(spans)),
            draw_shares(series, report.step, find_shares_title([by_name[n] for n in SHARES])),
        ]
    context = {
        "bar": make_bar(report.asked),
        "sentence": open_measures(figures),
        "lines": [make_line(figure) for figure in figures],
        "charts": charts,
        "services": _list_services(report, figures),
        "definition": DEFINITION,
        "has_data": bool(charts),
        "tracked_since": tracked_since(find_services(report.asked)),
        "nav_section": "measure",
    }
    return render(request, "metrics/measure_list.html", context)


@require_safe
def show_measure(request: HttpRequest, slug: str) -> HttpResponse:
    """One measure: its definition beside its number, its charts, its services, its rows."""
    described = BY_SLUG.get(slug)
    if described is None:
        raise Http404
    report = Report(read_asked(request))
    figure = report.figure(described.name)
    context: dict[str, Any] = {
        "bar": make_bar(report.asked),
        "described": described,
        "line": make_line(figure),
        "result": figure.result,
        "definition": DEFINITION,
        "aside": _count_aside(figure.result),
        "services": _list_services(report, [figure]),
        "may_set_target": _may_set_target(request, report),
        "tracked_since": tracked_since(find_services(report.asked)),
        "nav_section": "measure",
    }
    add_chapter(context, report, figure)
    return render(request, "metrics/measure_detail.html", context)


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


def _list_services(report: Report, figures: list[Figure]) -> list[dict[str, Any]]:
    """A row for each service with any data, its cells in the order of the figures."""
    groups = [group_by_service(figure.result.rows) for figure in figures]
    names = sorted({name for group in groups for name in group})
    rows = []
    for name in names:
        cells = [
            _make_cell(report, figure, group.get(name, []), name)
            for figure, group in zip(figures, groups, strict=True)
        ]
        if any(cell.summary.n for cell in cells):
            team = report.team_of.get(name, "")
            rows.append({"service": name, "team": team, "cells": cells})
    return rows


def _make_cell(report: Report, figure: Figure, rows: list[Any], service: str) -> Cell:
    described = figure.described
    summary = summarise_rows(described, rows)
    target = report.targets.find(described.name, service=service)
    interval = summary.interval
    if described.name == "failures" and summary.n:
        interval = wilson(int(summary.numerator or 0), summary.n)
    misses = (
        target is not None
        and judge_target(interval, target, summary.n, described.is_higher_better) == MISSES
    )
    return Cell(summary, show(described, summary), misses)


def _count_aside(result: Result) -> list[dict[str, Any]]:
    """What is not in the figure, counted, with the address of its rows."""
    counted = [
        {"key": key, "count": len(getattr(result.beside, key)), "words": words}
        for key, words in SET_ASIDE_WORDS.items()
    ]
    return [each for each in counted if each["count"]]


def _may_set_target(request: HttpRequest, report: Report) -> bool:
    filters = report.asked.filters
    return may_set_target(cast(User, request.user), filters.team, filters.service)
