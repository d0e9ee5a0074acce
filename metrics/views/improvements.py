"""A team's actions: what is done about which statement, by whom, until when."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.actions.improve import Plan, move_improvement, open_improvement
from metrics.check_results import find_day
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.model import MaturityModel
from metrics.members import find_members
from metrics.models import Improvement
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import Team, User
from promotion.views.refusing import refuse

CLOSED_SHOWN = 50


class PlanForm(forms.Form):
    """An action as it is planned."""

    statement = forms.CharField(max_length=100)
    what = forms.CharField(
        max_length=300, error_messages={"required": "Say what is done. Nothing was changed."}
    )
    owner = forms.CharField(max_length=150)
    due_on = forms.DateField(
        input_formats=["%Y-%m-%d"],
        error_messages={
            "required": "Say until when. Nothing was changed.",
            "invalid": "A day is written as 2026-11-23. Nothing was changed.",
        },
    )
    issue_url = forms.URLField(
        required=False,
        max_length=1000,
        assume_scheme="https",
        error_messages={"invalid": "A link begins with https://. Nothing was changed."},
    )


def _find_team(slug: str) -> Team:
    return get_object_or_404(Team.objects.select_related("parent"), slug=slug)


def _show(row: Improvement, model: MaturityModel, today: Any) -> dict[str, Any]:
    known = model.has_statement(row.statement_id)
    return {
        "action": row,
        "statement": model.get_statement(row.statement_id).text if known else row.statement_id,
        "is_late": row.state == Improvement.State.OPEN and row.due_on < today,
    }


@require_safe
def list_actions(request: HttpRequest, team: str) -> HttpResponse:
    """Open actions by their day, the others after them, and a form for a new one."""
    found, model = _find_team(team), load_shipped_model()
    today = find_day(timezone.now())
    is_member = cast(User, request.user).may_ask(found)
    rows = Improvement.objects.filter(team=found).select_related("owner", "changed_by")
    is_open = Q(state=Improvement.State.OPEN)
    opened = [_show(each, model, today) for each in rows.filter(is_open)]
    closed = rows.exclude(is_open).order_by("-changed_at")[:CLOSED_SHOWN]
    late = sum(each["is_late"] for each in opened)
    context = {
        "team": found,
        "opened": opened,
        "closed": [_show(each, model, today) for each in closed],
        "sentence": _open(len(opened), late),
        "is_member": is_member,
        "owners": find_members(found, of_all_teams=True) if is_member else [],
        "statements": model.statements,
        "wanted": request.GET.get("statement", ""),
        "nav_section": "assessment",
    }
    return render(request, "metrics/team_actions.html", context)


def _open(count: int, late: int) -> str:
    if not count:
        return "No action is open."
    opened = "1 action is open" if count == 1 else f"{count} actions are open"
    return f"{opened}, {late} of them past the day." if late else f"{opened}, none past its day."


@require_POST
def plan(request: HttpRequest, team: str) -> HttpResponseBase:
    """Opens an action."""
    found, form = _find_team(team), PlanForm(request.POST)
    back = reverse("team-actions", args=[team])
    try:
        if not form.is_valid():
            raise InputError(str(next(iter(form.errors.values()))[0]))
        given = form.cleaned_data
        owner = User.objects.filter(username=given["owner"]).first()
        if owner is None:
            raise InputError("Choose who owns the action. Nothing was changed.")
        wish = Plan(given["statement"], given["what"], owner, given["due_on"], given["issue_url"])
        open_improvement(found, wish, person=cast(User, request.user), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, back)
    messages.success(request, "The action is open.")
    return redirect(back)


@require_POST
def move(request: HttpRequest, key: int) -> HttpResponseBase:
    """Says what became of an action."""
    found = get_object_or_404(Improvement.objects.select_related("team"), pk=key)
    back = reverse("team-actions", args=[found.team.slug])
    try:
        state = request.POST.get("state", "")
        moved = move_improvement(key, state, person=cast(User, request.user), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, back)
    messages.success(request, f"{moved.get_state_display()}.")
    return redirect(back)
