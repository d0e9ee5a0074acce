"""What people outside a team see of its maturity, held on every page of it; and the team's choice."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from metrics.actions.share import change_sharing
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.model import MaturityModel
from metrics.maturity.values import Answer, Measured
from metrics.models import EvidenceFile, Share, Sharing, TeamLevel
from metrics.sharing import find_share, tell_refusal
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import Team, User
from promotion.views.refusing import refuse

View = Callable[..., HttpResponseBase]


def shared(wanted: Share, view: View) -> View:
    """The view of a team (its slug is `team`) for who may see that much; others get 403 and why."""

    @wraps(view)
    def look(request: HttpRequest, team: str, **more: Any) -> HttpResponseBase:
        found = Team.objects.filter(slug=team).first()
        if found is not None and find_share(found, request.user) < wanted:
            raise PermissionDenied(tell_refusal(found, wanted))
        return view(request, team=team, **more)

    return look


def shared_page(view: View) -> View:
    """The page of a team, or for outsiders as much of it as the team shares."""

    @wraps(view)
    def look(request: HttpRequest, team: str, **more: Any) -> HttpResponseBase:
        found = Team.objects.filter(slug=team).first()
        share = Share.EVIDENCE if found is None else find_share(found, request.user)
        if found is None or share >= Share.EVIDENCE:
            return view(request, team=team, **more)
        if more:  # an assessment: what is shared of it stands on the team's page
            return redirect("maturity-team", team)
        return show_shared(request, found, share)

    return look


def shared_file(view: View) -> View:
    """A file of evidence for who may see the evidence of its team."""

    @wraps(view)
    def look(request: HttpRequest, key: int) -> HttpResponseBase:
        found = get_object_or_404(EvidenceFile.objects.select_related("team").defer("body"), pk=key)
        if find_share(found.team, request.user) < Share.EVIDENCE:
            raise PermissionDenied(tell_refusal(found.team, Share.EVIDENCE))
        return view(request, key=key)

    return look


def show_shared(request: HttpRequest, team: Team, share: Share) -> HttpResponse:
    """The levels of a team, and its answers where those are shared; no evidence, no facts."""
    model, at = load_shipped_model(), timezone.now()
    level = (
        TeamLevel.objects.filter(team=team, model_id=model.id, as_of__lte=at)
        .select_related("assessment")
        .order_by("-day")
        .first()
    )
    is_current = level is not None and level.model_version == model.version
    context = {
        "team": team,
        "level": level,
        "categories": _list_categories(level, model) if is_current and level else [],
        "groups": _list_answers(level, model)
        if is_current and level and share >= Share.ANSWERS
        else [],
        "shares_answers": share >= Share.ANSWERS,
        "nav_section": "maturity",
    }
    return render(request, "metrics/team_shared.html", context)


def _list_categories(level: TeamLevel, model: MaturityModel) -> list[dict[str, Any]]:
    result = level.result
    return [
        {
            "category": category,
            "claimed": result["claimed"]["categories"][category.id],
            "verified": result["verified"]["categories"][category.id],
            "binds": category.id in result["binding"],
        }
        for category in model.categories
    ]


def _list_answers(level: TeamLevel, model: MaturityModel) -> list[dict[str, Any]]:
    comments = {each["statement"]: each["comment"] for each in level.result["answers"]}
    said = level.result["statements"]
    return [
        {
            "category": category,
            "rows": [
                {
                    "statement": one,
                    "claimed": Answer(said[one.id]["claimed"]).label,
                    "measured": Measured(measured).label if measured else "not measured",
                    "verified": Answer(said[one.id]["verified"]).label,
                    "comment": comments.get(one.id, ""),
                }
                for one in model.get_statements(category.id)
                for measured in (said[one.id]["measured"],)
            ],
        }
        for category in model.categories
    ]


def find_choice(team: Team) -> Share:
    """What the team shares with people outside of it."""
    row = Sharing.objects.filter(team=team).first()
    return Share(row.shares) if row else Share.EVIDENCE


@require_POST
def choose(request: HttpRequest, team: str) -> HttpResponseBase:
    """A member or release manager chooses what the team shares."""
    found = get_object_or_404(Team.objects.select_related("parent"), slug=team)
    back = reverse("maturity-team", args=[team])
    try:
        text = request.POST.get("shares", "")
        if text not in {str(value) for value in Share.values}:
            raise InputError("Choose what is shared. Nothing was changed.", key="shares")
        shares = Share(int(text))
        change_sharing(found, shares, person=cast(User, request.user), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, back)
    messages.success(request, f"{found.name} shares: {shares.label.lower()}.")
    return redirect(back)
