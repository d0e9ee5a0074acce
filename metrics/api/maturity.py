"""GET /api/v1/maturity: where teams stand, and what the checks found."""

from datetime import date
from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metrics.check_results import find_results, write_check
from metrics.maturity.loading import load_shipped_model
from metrics.models import CheckResult, TeamLevel
from promotion.api.schema import problems
from promotion.exceptions import InputError
from promotion.models import Team, Token

CHANGES = 100
DAY = OpenApiParameter(
    "day", OpenApiTypes.DATE, description="as measured on that day; without it the newest"
)


def _write_level(level: TeamLevel) -> dict[str, Any]:
    return {
        "day": level.day.isoformat(),
        "as_of": level.as_of.isoformat(),
        "claimed": level.result["claimed"],
        "verified": level.result["verified"],
        "binding": level.result["binding"],
        "confidence": level.result["confidence"],
        "provisional": level.result["provisional"],
        "assessment": level.assessment.cycle,
    }


def _find_team(slug: str) -> Team:
    # PostgreSQL refuses the character that no slug has.
    team = Team.objects.filter(slug=slug.replace("\x00", "")).first()
    if team is None:
        raise Http404
    return team


def _read_day(request: Request) -> date | None:
    text = request.query_params.get("day", "")
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise InputError("day is a date such as 2026-11-24. Nothing was read.", key="day")
    return day


class Maturity(APIView):
    """GET /api/v1/maturity."""

    scope = Token.Scope.READ

    @extend_schema(operation_id="read_maturity", responses={200: OpenApiTypes.OBJECT, **problems()})
    def get(self, request: Request) -> Response:
        """Every team with its newest claimed and verified levels; no ranking, no average."""
        model = load_shipped_model()
        newest: dict[int, TeamLevel] = {}
        levels = TeamLevel.objects.filter(model_id=model.id, as_of__lte=timezone.now())
        for level in levels.select_related("assessment").order_by("day"):
            newest[level.team_id] = level
        return Response(
            {
                "model": model.id,
                "version": model.version,
                "results": [
                    {
                        "team": team.slug,
                        "level": _write_level(newest[team.pk]) if team.pk in newest else None,
                    }
                    for team in Team.objects.order_by("slug")
                ],
            }
        )


class TeamMaturity(APIView):
    """GET /api/v1/maturity/<team>."""

    scope = Token.Scope.READ

    @extend_schema(
        operation_id="read_team_maturity",
        parameters=[DAY],
        responses={200: OpenApiTypes.OBJECT, **problems(400, 404)},
    )
    def get(self, request: Request, team: str) -> Response:
        """One team: levels, each statement's values, the shortest ways up, and what changed when."""
        found, model, day = _find_team(team), load_shipped_model(), _read_day(request)
        levels = TeamLevel.objects.filter(team=found, model_id=model.id)
        wanted = levels.filter(day=day) if day else levels
        level = wanted.select_related("assessment").order_by("-day").first()
        if day and level is None:
            raise Http404
        changes = levels.exclude(changes=[]).order_by("-day").values_list("day", "changes")
        return Response(
            {
                "team": found.slug,
                "model": model.id,
                "version": level.model_version if level else model.version,
                "level": _write_level(level) if level else None,
                "statements": level.result["statements"] if level else {},
                "lifts": level.result["lifts"] if level else [],
                "changes": [
                    {"day": on.isoformat(), **each}
                    for on, listed in changes[:CHANGES]
                    for each in listed
                ],
            }
        )


class TeamChecks(APIView):
    """GET /api/v1/maturity/<team>/checks."""

    scope = Token.Scope.READ

    @extend_schema(
        operation_id="read_team_checks",
        parameters=[DAY],
        responses={200: OpenApiTypes.OBJECT, **problems(400, 404)},
    )
    def get(self, request: Request, team: str) -> Response:
        """Each check of a team: value, n, window, thresholds, coverage and counterexamples."""
        found, model, day = _find_team(team), load_shipped_model(), _read_day(request)
        if day is None:
            results = find_results(found, model, timezone.now())
        else:
            results = list(
                CheckResult.objects.filter(
                    team=found, model_id=model.id, model_version=model.version, day=day
                )
            )
            if not results:
                raise Http404
        return Response(
            {
                "team": found.slug,
                "model": model.id,
                "version": model.version,
                "results": [write_check(each) for each in results],
            }
        )
