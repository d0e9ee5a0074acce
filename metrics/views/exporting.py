"""What goes out: CSV of the pages, and OpenMetrics for Prometheus."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST

from metrics.described import BY_SLUG
from metrics.exported import (
    FIGURE_COLUMNS,
    POINT_COLUMNS,
    line_of,
    lines_of_series,
    name_headers,
    write_lines,
)
from metrics.forms import Asked, read_question
from metrics.reports import Report, TooMuchError, open_report
from metrics.rollups.figures import summarise
from metrics.scraped import write_openmetrics
from promotion.api.authentication import find_token
from promotion.models import Token

from .filtering import read_asked

SERVICE_COLUMNS = ("service", "team", "measure", "unit", "value", "numerator", "n", "low", "high")


@require_safe
def export_measures(request: HttpRequest) -> StreamingHttpResponse:
    """The five key measures as CSV, one a line."""
    report = open_report(read_asked(request))
    return _answer(report.asked, "measures", FIGURE_COLUMNS, map(line_of, report.figures()))


@require_safe
def export_services(request: HttpRequest) -> StreamingHttpResponse:
    """Each measure of each service as CSV."""
    report = open_report(read_asked(request))
    return _answer(report.asked, "services", SERVICE_COLUMNS, _list_services(report))


@require_safe
def export_series(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """The points of a measure over time as CSV."""
    described = BY_SLUG.get(slug)
    if described is None:
        raise Http404
    report = open_report(read_asked(request))
    lines = lines_of_series(report.figure(described.name))
    return _answer(report.asked, f"{slug}-series", POINT_COLUMNS, lines)


def _list_services(report: Report) -> Iterable[Sequence[Any]]:
    keys = report.list_services()
    for described in BY_SLUG.values():
        found = report.tally_services(described.name, keys)
        for key in keys:
            if key not in found:
                continue
            summary = summarise(described.name, found[key])
            interval = summary.interval
            yield (
                *report.services[key],
                described.name,
                described.unit,
                summary.value,
                summary.numerator,
                summary.n,
                interval.low if interval else None,
                interval.high if interval else None,
            )


def _answer(
    asked: Asked, name: str, columns: Sequence[str], lines: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(
        write_lines(asked, columns, lines),
        content_type="text/csv; charset=utf-8",
        headers=name_headers(asked),
    )
    file = f"{name}-{asked.period.from_}-{asked.period.to}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{file}"'
    return answer


@login_not_required
@require_safe
def show_metrics(request: HttpRequest) -> HttpResponse:
    """The measures for Prometheus: for who is signed in, has a token that reads, or for all where set.

    The filters are those of the pages; `by=service` adds every service. 400 for what cannot be used.
    """
    refusal = None if settings.METRICS_OPEN else _refuse(request)
    if refusal is not None:
        return refusal
    asked = read_question(request.GET.dict(), timezone.now())
    if asked.problems:
        return _say(f"{asked.problems[0]} Nothing was computed.", 400)
    try:
        report = Report(asked)
    except TooMuchError as error:
        return _say(f"{error} Nothing was computed.", 400)
    text = write_openmetrics(report, by_service=request.GET.get("by") == "service")
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST, headers=name_headers(asked))


def _refuse(request: HttpRequest) -> HttpResponse | None:
    if request.user.is_authenticated:
        return None
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    token = find_token(text.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        answer = _say("Send a token that may read: Authorization: Bearer tl_….", 401)
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    if Token.Scope.READ not in token.scopes:
        return _say("This token lacks the scope 'read'.", 403)
    return None


def _say(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")
