"""GET /api/v1/maturity: where teams stand, and what the checks found."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metrics.check_results import find_results, write_check
from metrics.leadership import end_of_cycle, find_landscape
from metrics.maturity.loading import load_shipped_model
from metrics.maturity_exports import write_assessment, write_landscape, write_levels
from metrics.models import Assessment, CheckResult, Share, TeamLevel
from metrics.packs import find_manifest_digest, make_pack
from metrics.sharing import find_share, tell_refusal
from promotion.api.schema import problems
from promotion.exceptions import InputError, NotAllowedError
from promotion.models import Team, Token

CHANGES = 100
DAY = OpenApiParameter(
    "day", OpenApiTypes.DATE, description="as measured on that day; without it the newest"
)


def _hold_back_words(change: dict[str, Any], share: Share) -> dict[str, Any]:
    """A change without its sentence where the facts it names are not shared."""
    if share >= Share.EVIDENCE:
        return change
    return {key: each for key, each in change.items() if key != "sentence"}


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

    @extend_schema(
        operation_id="read_maturity",
        parameters=[
            OpenApiParameter(
                "cycle", OpenApiTypes.STR, description="as of the end of a quarter, e.g. 2026-q4"
            )
        ],
        responses={200: OpenApiTypes.OBJECT, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """Every team with its levels, how teams are spread, and what many have in common.

        Teams by name: no ranking, no average. `results` are the teams; what goes by statement
        counts teams that share their answers.
        """
        at, cycle = timezone.now(), request.query_params.get("cycle", "")
        if cycle:
            end = end_of_cycle(cycle)
            if end is None:
                raise InputError(
                    "cycle is a quarter such as 2026-q4. Nothing was read.", key="cycle"
                )
            at = min(at, end)
        written = write_landscape(find_landscape(request.user, at))
        return Response({**written, "results": written.pop("teams")})


class TeamMaturity(APIView):
    """GET /api/v1/maturity/<team>."""

    scope = Token.Scope.READ

    @extend_schema(
        operation_id="read_team_maturity",
        parameters=[DAY],
        responses={200: OpenApiTypes.OBJECT, **problems(400, 404)},
    )
    def get(self, request: Request, team: str) -> Response:
        """One team: levels, each statement's values, the shortest ways up, and what changed when.

        As far as the team shares it (`shares`): of levels alone the rest is empty, and the words
        of a change name facts, so they go with the evidence.
        """
        found, model, day = _find_team(team), load_shipped_model(), _read_day(request)
        share = find_share(found, request.user)
        is_open = share >= Share.ANSWERS
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
                "shares": share.name.lower(),
                "level": write_levels(level, share) if level else None,
                "statements": level.result["statements"] if level and is_open else {},
                "lifts": level.result["lifts"] if level and is_open else [],
                "changes": [
                    {"day": on.isoformat(), **_hold_back_words(each, share)}
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
        """Each check of a team: value, n, window, thresholds, coverage and counterexamples.

        They are part of the evidence; 403 where the team does not share that.
        """
        found, model, day = _find_team(team), load_shipped_model(), _read_day(request)
        if find_share(found, request.user) < Share.EVIDENCE:
            raise NotAllowedError(tell_refusal(found, Share.EVIDENCE))
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


def _find_assessment(team: str, cycle: str) -> Assessment:
    found = (
        Assessment.objects.filter(team__slug=team, cycle=cycle)
        .select_related("team", "submitted_by", "agreed_by")
        .first()
    )
    if found is None:
        raise Http404
    return found


class TeamAssessments(APIView):
    """GET /api/v1/maturity/<team>/assessments."""

    scope = Token.Scope.READ

    @extend_schema(
        operation_id="list_team_assessments",
        responses={200: OpenApiTypes.OBJECT, **problems(404)},
    )
    def get(self, request: Request, team: str) -> Response:
        """The assessments of a team, newest first, with how far each is."""
        found = _find_team(team)
        rows = Assessment.objects.filter(team=found).order_by("-cycle")
        return Response(
            {
                "team": found.slug,
                "results": [
                    {
                        "cycle": row.cycle,
                        "state": row.state,
                        "model": row.model_id,
                        "version": row.model_version,
                        "agreed_at": row.agreed_at.isoformat() if row.agreed_at else None,
                    }
                    for row in rows
                ],
            }
        )


class TeamAssessment(APIView):
    """GET /api/v1/maturity/<team>/assessments/<cycle>."""

    scope = Token.Scope.READ

    @extend_schema(
        operation_id="read_team_assessment",
        responses={200: OpenApiTypes.OBJECT, **problems(404, 409)},
    )
    def get(self, request: Request, team: str, cycle: str) -> Response:
        """An agreed assessment, frozen: levels, and each claim as far as the team shares it."""
        assessment = _find_assessment(team, cycle)
        return Response(write_assessment(assessment, find_share(assessment.team, request.user)))


class TeamAssessmentPack(APIView):
    """GET /api/v1/maturity/<team>/assessments/<cycle>/pack."""

    scope = Token.Scope.READ

    @extend_schema(
        operation_id="read_evidence_pack",
        responses={(200, "application/zip"): OpenApiTypes.BINARY, **problems(404, 409)},
    )
    def get(self, request: Request, team: str, cycle: str) -> HttpResponse:
        """The evidence pack, a ZIP; `X-Throughline-Manifest` tells the hash of its manifest.

        403 where the team does not share its evidence.
        """
        assessment = _find_assessment(team, cycle)
        if find_share(assessment.team, request.user) < Share.EVIDENCE:
            raise NotAllowedError(tell_refusal(assessment.team, Share.EVIDENCE))
        data = make_pack(assessment)
        answer = HttpResponse(data, content_type="application/zip")
        answer["X-Throughline-Manifest"] = f"sha256:{find_manifest_digest(data)}"
        return answer
