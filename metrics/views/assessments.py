"""Assessments: the list of teams, and one category a screen."""

from datetime import datetime
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from metrics.actions.assess import find_cycle
from metrics.answers import resolve_inherited
from metrics.check_results import find_newest_results
from metrics.maturity.loading import load_shipped_model
from metrics.models import Assessment, CheckResult, Improvement
from metrics.standing import derive_standing, find_model
from promotion.models import Team, User

from .results import show_result
from .sheet import Sheet

__all__ = ["find_assessment", "list_assessments", "show_assessment", "show_result"]
ACTIONS_SHOWN = 20


def find_assessment(team: str, cycle: str) -> Assessment:
    """The assessment of an address; 404 where there is none."""
    return get_object_or_404(
        Assessment.objects.select_related("team", "submitted_by", "agreed_by", "facilitator"),
        team__slug=team,
        cycle=cycle,
    )


@require_safe
def list_assessments(request: HttpRequest) -> HttpResponse:
    """Every team with the newest of its assessments, and a way to begin this quarter's."""
    at, person = timezone.now(), cast(User, request.user)
    cycle = find_cycle(at)
    newest: dict[int, Assessment] = {}
    for one in Assessment.objects.order_by("cycle", "pk").prefetch_related("answers"):
        newest[one.team_id] = one
    measured = find_newest_results(load_shipped_model(), at)
    resolve_inherited(
        answer for one in newest.values() if not one.is_frozen for answer in one.answers.all()
    )
    rows = []
    for team in Team.objects.select_related("parent"):
        latest = newest.get(team.pk)
        rows.append(
            {
                "team": team,
                "assessment": latest,
                "levels": _find_levels(latest, measured.get(team.pk, []), at),
                "may_start": (latest is None or latest.cycle != cycle) and person.may_ask(team),
            }
        )
    context = {
        "rows": rows,
        "cycle": cycle,
        "actions": _list_own_actions(person),
        "sentence": _open_list(rows, cycle),
        "nav_section": "assessment",
    }
    return render(request, "metrics/assessment_list.html", context)


def _find_levels(
    assessment: Assessment | None, results: list[CheckResult], at: datetime
) -> dict[str, Any] | None:
    """Claimed and verified, of an assessment with the model at hand or a frozen result."""
    if assessment is None:
        return None
    if assessment.is_frozen:
        result = assessment.result
        return {
            "claimed": result["claimed"]["overall"],
            "verified": result["verified"]["overall"],
            "provisional": result["provisional"],
        }
    found = derive_standing(find_model(assessment), assessment.answers.all(), at, results)
    return {
        "claimed": found.claimed.overall,
        "verified": found.verified.overall,
        "provisional": found.provisional,
    }


def _open_list(rows: list[dict[str, Any]], cycle: str) -> str:
    if not rows:
        return "There is no team yet."
    current = [row["assessment"] for row in rows if row["assessment"]]
    current = [one for one in current if one.cycle == cycle]
    agreed = sum(one.is_frozen for one in current)
    year, _, quarter = cycle.partition("-")
    return (
        f"{agreed} of {len(rows)} teams agreed their assessment of {quarter.upper()} {year};"
        f" {(left := len(current) - agreed)} {'is' if left == 1 else 'are'} at it."
    )


def _list_own_actions(person: User) -> list[Improvement]:
    rows = Improvement.objects.filter(owner=person, state=Improvement.State.OPEN)
    return list(rows.select_related("team")[:ACTIONS_SHOWN])


@require_safe
def show_assessment(request: HttpRequest, team: str, cycle: str) -> HttpResponse:
    """One category of statements, and the result of all of them.

    Without a category it opens where the first statement asks for an answer.
    """
    sheet = Sheet(find_assessment(team, cycle), cast(User, request.user), timezone.now())
    context = sheet.make_context()
    categories = {category.id: category for category in sheet.model.categories}
    first = context["next_open"]
    wanted = request.GET.get("category") or (
        first["category"] if first else sheet.model.categories[0].id
    )
    if wanted not in categories:
        raise Http404
    only_looks = request.GET.get("only") == "looks"
    context |= {
        "category": categories[wanted],
        "cells": sheet.make_cells(wanted, only_looks=only_looks),
        "only_looks": only_looks,
        "nav_section": "assessment",
        **find_way_on(sheet, wanted),
    }
    return render(request, "metrics/assessment_detail.html", context)


def find_way_on(sheet: Sheet, category: str) -> dict[str, Any]:
    """Where asking may stop in a category, and which category comes next."""
    ids = [one.id for one in sheet.model.categories]
    after = ids[ids.index(category) + 1 :]
    following = next((one for one in sheet.model.categories if one.id in after[:1]), None)
    return {"stop": sheet.find_stop(category), "following": following}
