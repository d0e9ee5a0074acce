"""A week or a quarter of the measures on one page, to print and to send."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from metrics.exported import write_head
from metrics.figure import Figure
from metrics.forms import CUSTOM, Asked, read_question
from metrics.models import Anomaly
from metrics.reports import Report, find_services, open_report
from metrics.summaries import QUARTER, WEEK, Span, read_span

from .filtering import make_bar
from .measures import make_line
from .telling import open_measures

MOST = 5
SPARK_DAYS = timedelta(days=91)
KEPT = ("team", "service", "as_of")


@require_safe
def show_summary(request: HttpRequest) -> HttpResponse:
    """One week or quarter: the sentence, the five measures, what was unusual; one A4 page."""
    at = timezone.now()
    span, problem = read_span(
        request.GET.get("of", "")[:20], request.GET.get("span", "")[:20], find_today(at)
    )
    kept = {name: request.GET[name] for name in KEPT if request.GET.get(name)}
    asked = _ask(span, kept, at)
    if problem:
        asked = replace(asked, problems=(*asked.problems, problem))
    report = open_report(asked)
    figures = report.figures()
    context = {
        "bar": make_bar(report.asked),
        "span": span,
        "sentence": open_measures(figures),
        "lines": [make_line(each) for each in _with_weeks(report, span, figures)],
        "anomalies": _find_anomalies(report.asked),
        "links": _link(span, kept),
        "again": _again(span, kept, report.asked),
        "head": write_head(report.asked),
        "is_over": span.to <= find_today(at),
        "tracked_since": report.tracked_since,
        "fresh": report.fresh,
        "nav_section": "measure",
    }
    return render(request, "metrics/summary.html", context)


def find_today(at: datetime) -> date:
    """The day in the reporting zone."""
    return at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def _ask(span: Span, kept: dict[str, str], at: datetime) -> Asked:
    dates = {"period": CUSTOM, "from": span.from_.isoformat(), "to": span.to.isoformat()}
    return read_question({**kept, **dates}, at)


def tell_span(span: Span, at: datetime) -> str:
    """The sentence of a week or quarter, for a mail."""
    figures = Report(_ask(span, {}, at)).figures(is_whole=False)
    return f"{span.title}: {open_measures(figures)}"


def _with_weeks(report: Report, span: Span, figures: list[Figure]) -> list[Figure]:
    """A week has one point only: its line shows the 13 weeks up to it."""
    if span.kind != WEEK:
        return figures
    asked = report.asked
    longer = replace(asked, period=replace(asked.period, from_=span.to - SPARK_DAYS))
    buckets = {
        each.described.name: each.buckets for each in open_report(longer).figures(is_whole=False)
    }
    return [replace(each, buckets=buckets[each.described.name]) for each in figures]


def _find_anomalies(asked: Asked) -> list[Anomaly]:
    """The latest of the days shown, known by the as-of, of what was asked for."""
    found = Anomaly.objects.filter(
        first_day__lt=asked.period.to,
        last_day__gte=asked.period.from_,
        opened_at__lte=asked.as_of,
    )
    services = find_services(asked)
    if services is not None:
        found = found.filter(service__in=services)
    return list(found.for_display().order_by("-last_day", "-pk")[:MOST])


def _link(span: Span, kept: dict[str, str]) -> dict[str, Any]:
    """The addresses around this one; the filters stay."""

    def to(**more: str) -> str:
        return f"{reverse('measure-summary')}?{urlencode({**more, **kept})}"

    return {
        "before": (span.before.title, to(of=span.before.name)),
        "after": (span.after.title, to(of=span.after.name)),
        "kinds": (
            ("Week", to(span=WEEK), span.kind == WEEK),
            ("Quarter", to(span=QUARTER), span.kind == QUARTER),
        ),
    }


def _again(span: Span, kept: dict[str, str], asked: Asked) -> str:
    """Where this page stands with the same figures at any later time."""
    query = urlencode({"of": span.name, **kept, "as_of": write_head(asked)["as_of"]})
    return f"{settings.PUBLIC_URL}{reverse('measure-summary')}?{query}"
