"""GET /api/v1/embed/<name>: one measure as another dashboard shows it, small and ready to read."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metrics.described import COUNT, HOURS
from metrics.exported import bounds, name_headers
from metrics.figure import Figure
from metrics.statistics import COUNT_BELOW
from promotion.api.schema import problems
from promotion.formats import NO_BREAK, format_number, format_percent, format_span
from promotion.models import Token

from .measures import ASKED, find_described, open_asked, read_asked, write_head


class Embed(APIView):
    """GET /api/v1/embed/<name>."""

    scope = Token.Scope.READ

    @extend_schema(
        operation_id="embed_measure",
        parameters=ASKED,
        responses={200: OpenApiTypes.OBJECT, **problems(400, 404)},
    )
    def get(self, request: Request, name: str) -> Response:
        """The figure in words and as a number, its target, its change, and its points over time.

        What is not known is null, never 0.
        """
        described = find_described(name)
        report = open_asked(read_asked(request))
        figure = report.figure(described.name)
        body = {**write_head(report.asked), **_write(figure), "step": report.step}
        return Response(body, headers=name_headers(report.asked))


def _write(figure: Figure) -> dict[str, Any]:
    described, result = figure.described, figure.result
    comparison = figure.comparison
    return {
        "name": described.name,
        "title": described.title,
        "text": _write_text(figure),
        "value": result.value,
        "unit": described.unit,
        "n": result.n,
        "interval": None if result.interval is None else [*bounds(result.interval)],
        "provisional": result.provisional,
        "no_data": result.no_data,
        "target": figure.target,
        "verdict": figure.verdict or None,
        "change": figure.change,
        "change_is": comparison.verdict if comparison else None,
        "points": [
            {
                "from": bucket.period.from_.isoformat(),
                "to": bucket.period.to.isoformat(),
                "value": bucket.value,
                "n": bucket.n,
                "interval": None if bucket.interval is None else [*bounds(bucket.interval)],
                "provisional": bucket.provisional,
            }
            for bucket in figure.buckets
        ],
    }


def _write_text(figure: Figure) -> str | None:
    """The figure as it is read: 83.3 %, 4 h, 3 failures as 3; of fewer than 5 the k of n."""
    result, unit = figure.result, figure.described.unit
    if not result.n or result.value is None:
        return None
    if unit == HOURS:
        return format_span(result.value * 3600).replace(NO_BREAK, " ")
    if unit == COUNT:
        return format_number(int(result.value))
    if result.n < COUNT_BELOW:
        return f"{int(result.numerator or 0)} of {result.n}"
    return format_percent(result.value, result.n, headline=True).replace(NO_BREAK, " ")
