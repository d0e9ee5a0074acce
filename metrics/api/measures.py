"""GET /api/v1/measures and the rows behind each: the figures of the pages, as JSON."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metrics.addresses import place_rows
from metrics.described import BY_SLUG, DESCRIBED, Described
from metrics.exported import name_headers
from metrics.figure import Figure
from metrics.forms import Asked, read_question
from metrics.measures.registry import MEASURES
from metrics.measures.results import DEFINITION, Result, Row
from metrics.reports import Report, TooMuchError
from metrics.statistics import Interval
from promotion.api.schema import problems
from promotion.exceptions import InputError
from promotion.models import Token

PAGE, LARGEST_PAGE = 50, 500
DESCRIBED_ELSEWHERE = frozenset(field.name for field in fields(Result))
ASKED = [
    OpenApiParameter(name, OpenApiTypes.STR, description=words)
    for name, words in (
        ("from", "first day, e.g. 2026-08-01; without it the last 90 days"),
        ("to", "the day after the last"),
        ("team", "slug of a team; with its sub-teams"),
        ("service", "slug of a service"),
        ("environment", "slug of an environment"),
        ("kind", "normal, hotfix or rollback"),
        ("as_of", "time with zone: only what had been received by then"),
    )
]


def read_asked(request: Request) -> Asked:
    """The question of a request; InputError for the first thing that cannot be used."""
    asked = read_question(request.query_params.dict(), timezone.now())
    if asked.problems:
        raise InputError(f"{asked.problems[0]} Nothing was computed.")
    return asked


def write_plain(value: Any) -> Any:
    """A value of the measures as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return write_plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): write_plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [write_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def write_figure(figure: Figure, report: Report) -> dict[str, Any]:
    """One measure: value, n, interval, target, what is counted beside, and its own details."""
    described, result, asked = figure.described, figure.result, report.asked
    query = urlencode({**asked.query(), "as_of": asked.as_of.isoformat()})
    return {
        "name": described.name,
        "title": described.title,
        "unit": described.unit,
        "value": result.value,
        "n": result.n,
        "numerator": result.numerator,
        "denominator": result.denominator,
        "interval": _write_interval(result.interval),
        "no_data": result.no_data,
        "immature": result.immature,
        "provisional": result.provisional,
        "target": figure.target,
        "verdict": figure.verdict or None,
        "beside": report.count_aside(described.name),
        "details": {
            field.name: write_plain(getattr(result, field.name))
            for field in fields(result)
            if field.name not in DESCRIBED_ELSEWHERE
        },
        "rows": f"/api/v1/measures/{described.name}/rows?{query}",
    }


def _write_interval(interval: Interval | None) -> list[float | None] | None:
    return None if interval is None else [interval.low, interval.high]


def open_asked(asked: Asked) -> Report:
    """The report of a question; InputError where it is too much to compute."""
    try:
        return Report(asked)
    except TooMuchError as error:
        raise InputError(f"{error} Nothing was computed.") from error


def write_head(asked: Asked) -> dict[str, Any]:
    """What was asked, and by which definition."""
    filters = asked.filters
    return {
        "definition": DEFINITION,
        "from": asked.period.from_.isoformat(),
        "to": asked.period.to.isoformat(),
        "zone": asked.period.zone,
        "as_of": asked.as_of.isoformat(),
        "filters": {
            name: getattr(filters, name) for name in ("team", "service", "environment", "kind")
        },
    }


class Measures(APIView):
    """GET /api/v1/measures."""

    scope = Token.Scope.READ

    @extend_schema(
        operation_id="read_measures",
        parameters=ASKED,
        responses={200: OpenApiTypes.OBJECT, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """The five key measures. First-pass success is that of production unless one is named."""
        report = open_asked(read_asked(request))
        figures = report.figures()
        return Response(
            {
                **write_head(report.asked),
                "measures": [write_figure(figure, report) for figure in figures],
                "behind": report.fresh.behind,
            },
            headers=name_headers(report.asked),
        )


class MeasureRows(APIView):
    """GET /api/v1/measures/<name>/rows."""

    scope = Token.Scope.READ

    @extend_schema(
        operation_id="read_measure_rows",
        parameters=[
            *ASKED,
            OpenApiParameter("limit", OpenApiTypes.INT, description="at most 500"),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="from `next`"),
        ],
        responses={200: OpenApiTypes.OBJECT, **problems(400, 404)},
    )
    def get(self, request: Request, name: str) -> Response:
        """The units behind a figure, oldest first; `next` keeps the as-of, so pages fit together."""
        described = find_described(name)
        asked = read_asked(request)
        limit, start = _read_limit(request), _read_cursor(request)
        report = open_asked(asked)
        page = report.rows(described.name, slice(start, start + limit + 1))
        following = None
        if len(page) > limit:
            query = {
                **asked.query(),
                "as_of": asked.as_of.isoformat(),
                "limit": str(limit),
                "cursor": _write_cursor(start + limit),
            }
            following = request.build_absolute_uri(f"{request.path}?{urlencode(query)}")
        return Response(
            {
                **write_head(asked),
                "measure": described.name,
                "next": following,
                "results": _write_rows(page[:limit]),
            },
            headers=name_headers(asked),
        )


def find_described(name: str) -> Described:
    """A measure by its name or the word of its address; 404 where there is none."""
    described = DESCRIBED.get(name) or BY_SLUG.get(name)
    if described is None or described.name not in MEASURES:
        raise Http404
    return described


def _read_limit(request: Request) -> int:
    text = request.query_params.get("limit", str(PAGE))
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text)):
        raise InputError("limit is a number from 1 to 500. Nothing was computed.")
    return min(int(text), LARGEST_PAGE)


def _read_cursor(request: Request) -> int:
    text = request.query_params.get("cursor", "")
    if not text:
        return 0
    try:
        found = base64.urlsafe_b64decode(text.encode()).decode("ascii")
    except (binascii.Error, ValueError):
        found = ""
    if not (found.isascii() and found.isdigit() and len(found) < 10):
        raise InputError("This cursor was not made here. Begin without one.")
    return int(found)


def _write_cursor(start: int) -> str:
    return base64.urlsafe_b64encode(str(start).encode()).decode()


def _write_rows(rows: Iterable[Row]) -> list[dict[str, Any]]:
    found = list(rows)
    places = place_rows(found)
    return [
        {
            "unit": row.unit,
            "service": row.service,
            "environment": row.environment,
            "digest": row.digest,
            "version": places[row.unit].version or None,
            "promotion": places[row.unit].promotion or None,
            "at": write_plain(row.at),
            "started_at": write_plain(row.started_at),
            "finished_at": write_plain(row.finished_at),
            "verdict": row.verdict,
            "reason": row.reason,
            "in_numerator": row.good and row.mature,
            "mature": row.mature,
            "hours": row.hours,
            "details": write_plain(dict(row.details)),
        }
        for row in found
    ]
