"""A team's maturity: where it stands, what the checks found, what changed, and what is disputed."""

from typing import Any, cast

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.actions.dispute import (
    Objection,
    decide_dispute,
    dispute_check,
    may_dispute,
    refuse_deciding,
)
from metrics.check_results import find_results, write_check
from metrics.forms import DecisionForm, ObjectionForm
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.model import MaturityModel
from metrics.models import Assessment, CheckDispute, CheckResult, Share, TeamLevel
from metrics.tasks import measure_team
from promotion.exceptions import InputError, NotAllowedError, ThroughlineError
from promotion.models import Team, User
from promotion.views.refusing import refuse

from .assessments import show_result
from .sharing import find_choice
from .telling_checks import show_checks

CHANGES_SHOWN = 20
DISPUTES_SHOWN = 50
AGREED_SHOWN = 8


def _address(slug: str) -> str:
    return reverse("maturity-team", args=[slug])


def _find_team(slug: str) -> Team:
    # PostgreSQL refuses the character that no slug has.
    return get_object_or_404(Team.objects.select_related("parent"), slug=slug.replace("\x00", ""))


@require_safe
def show_team(request: HttpRequest, team: str) -> HttpResponse:
    """The levels of its agreed answers with the newest measurements, and why they are so."""
    found, at, person = _find_team(team), timezone.now(), cast(User, request.user)
    model = load_shipped_model()
    results = find_results(found, model, at)
    level = (
        TeamLevel.objects.filter(team=found, model_id=model.id, as_of__lte=at)
        .select_related("assessment")
        .order_by("-day")
        .first()
    )
    claimed = _read_claims(level)
    standing = _show_level(level, model)
    context = {
        "team": found,
        "level": level,
        "standing": standing,
        "groups": show_checks(
            model, {one.statement_id: write_check(one) for one in results}, claimed
        ),
        "measured_at": results[0].as_of if results else None,
        "sentence": _open_page(found, level, standing, results),
        "history": _list_changes(found, model),
        "disputes": _list_disputes(found, person),
        "may_dispute": may_dispute(person, found),
        "is_member": person.may_ask(found),
        "assessment": _find_newest(found, model),
        "agreed": _list_agreed(found, model),
        "share_choices": Share.choices,
        "share_chosen": find_choice(found),
        "may_share": person.may_ask(found),
        "nav_section": "maturity",
    }
    return render(request, "metrics/team_maturity.html", context)


def _find_newest(team: Team, model: MaturityModel) -> Assessment | None:
    return Assessment.objects.filter(team=team, model_id=model.id).order_by("-cycle").first()


def _list_agreed(team: Team, model: MaturityModel) -> list[Assessment]:
    rows = Assessment.objects.filter(
        team=team,
        model_id=model.id,
        model_version=model.version,
        state__in=(Assessment.State.AGREED, Assessment.State.SUPERSEDED),
    )
    return list(rows.order_by("-cycle")[:AGREED_SHOWN])


def _read_claims(level: TeamLevel | None) -> dict[str, str]:
    if level is None:
        return {}
    return {key: one["claimed"] for key, one in level.result["statements"].items()}


def _show_level(level: TeamLevel | None, model: MaturityModel) -> dict[str, Any] | None:
    if level is None:
        return None
    answered = {each["statement"] for each in level.result["answers"]}
    return show_result(level.result, model, answered, is_frozen=False)


def _open_page(
    team: Team,
    level: TeamLevel | None,
    standing: dict[str, Any] | None,
    results: list[CheckResult],
) -> str:
    """The sentence that opens the page: the levels, and how far the facts carry the claim."""
    if not results:
        return f"{team.name} was not measured yet; each team is measured once a day."
    if level is None or standing is None:
        return "Nothing is agreed yet, so there is no level; below is what the checks found."
    sentence = (
        f"Level {level.verified} {standing['verified_title']} is verified,"
        f" level {level.claimed} claimed."
    )
    count = standing["contradicted"]
    if count:
        claims = "claim is" if count == 1 else "claims are"
        sentence += f" {count} {claims} contradicted by the facts."
    return sentence


def _list_changes(team: Team, model: MaturityModel) -> list[dict[str, Any]]:
    rows = (
        TeamLevel.objects.filter(team=team, model_id=model.id)
        .exclude(changes=[])
        .order_by("-day")
        .values_list("day", "changes")[:CHANGES_SHOWN]
    )
    return [
        {
            "day": day,
            "told": each["sentence"].replace("`", ""),
            "fell": each["after"] < each["before"],
        }
        for day, changes in rows
        for each in changes
    ]


def _list_disputes(team: Team, person: User) -> list[dict[str, Any]]:
    rows = list(
        CheckDispute.objects.filter(team=team).select_related("opened_by", "decided_by")[
            :DISPUTES_SHOWN
        ]
    )
    # One person and one team for all rows, so that roles are read once.
    reader = User.objects.prefetch_related("memberships").get(pk=person.pk)
    for each in rows:
        each.team = team
    return [
        {
            "dispute": each,
            "told": each.what.replace("`", ""),
            "refusal": refuse_deciding(each, reader) if each.state == "open" else "",
        }
        for each in rows
    ]


def _tell_problem(form: Form) -> str:
    problem = str(next(iter(form.errors.values()))[0])
    return problem if problem.endswith("changed.") else f"{problem} Nothing was changed."


@require_POST
def dispute(request: HttpRequest, team: str) -> HttpResponseBase:
    """Opens a dispute of a check or of a counterexample."""
    found, form = _find_team(team), ObjectionForm(request.POST)
    try:
        if not form.is_valid():
            raise InputError(_tell_problem(form))
        objection = Objection(**form.cleaned_data)
        dispute_check(found, objection, person=cast(User, request.user), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, _address(team))
    messages.success(request, "Disputed. Somebody else decides; until then the check stands.")
    return redirect(f"{_address(team)}#disputes")


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Accepts or rejects a dispute; an accepted one has the team measured anew."""
    found = get_object_or_404(CheckDispute.objects.select_related("team"), pk=pk)
    form, at = DecisionForm(request.POST), timezone.now()
    try:
        if not form.is_valid():
            raise InputError(_tell_problem(form))
        decided = decide_dispute(
            pk,
            is_accepted=form.cleaned_data["decision"] == "accept",
            outcome=form.cleaned_data["outcome"],
            person=cast(User, request.user),
            at=at,
        )
    except ThroughlineError as error:
        return refuse(request, error, _address(found.team.slug))
    if decided.state == CheckDispute.State.ACCEPTED:
        measure_team.delay(found.team_id)
    messages.success(request, f"{decided.get_state_display()}.")
    return redirect(f"{_address(found.team.slug)}#disputes")


@require_POST
def measure(request: HttpRequest, team: str) -> HttpResponseBase:
    """Has a team measured anew, besides once a day; a member of the team asks for it."""
    found = _find_team(team)
    if not may_dispute(cast(User, request.user), found):
        error = NotAllowedError(
            f"Measuring anew takes a member or release manager of {found.name}, or an auditor."
            " Nothing was changed."
        )
        return refuse(request, error, _address(team))
    measure_team.delay(found.pk)
    messages.success(request, f"{found.name} is being measured. Open this page again in a moment.")
    return redirect(_address(team))
