"""What people do with an assessment: begin, answer, accept, submit, agree."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from metrics.actions.agree import agree, send_back, submit
from metrics.actions.assess import Given, save_answer, start_assessment
from metrics.actions.support import accept_evidence, agree_not_applicable
from metrics.forms import AnswerForm
from metrics.maturity.values import Answer as Value
from metrics.models import Answer, Assessment
from metrics.standing import find_model
from metrics.tasks import measure_team
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import Team, User
from promotion.views.refusing import refuse, status_of

from .assessments import (
    find_assessment,
    find_result,
    make_rights,
    make_statement,
    open_assessment,
    read_answers,
    show_result,
)


def _address(assessment: Assessment, category: str = "") -> str:
    address = reverse("assessment-detail", args=[assessment.team.slug, assessment.cycle])
    return f"{address}?category={category}" if category else address


@require_POST
def start(request: HttpRequest, team: str) -> HttpResponseBase:
    """Begins this quarter's assessment of a team, or opens it."""
    found = get_object_or_404(Team.objects.select_related("parent"), slug=team)
    try:
        assessment = start_assessment(found, person=cast(User, request.user), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, reverse("assessment-list"))
    measure_team.delay(found.pk)
    return redirect(_address(assessment))


@require_POST
def save(request: HttpRequest, team: str, cycle: str, statement: str) -> HttpResponseBase:
    """Keeps one answer; htmx gets what was saved and the new result, a plain form the page again."""
    assessment, at = find_assessment(team, cycle), timezone.now()
    form = AnswerForm(request.POST)
    is_htmx = bool(getattr(request, "htmx", False))
    try:
        if not form.is_valid():
            raise InputError(str(next(iter(form.errors.values()))[0]))
        given = form.cleaned_data
        answer = save_answer(
            assessment.pk,
            Given(
                statement,
                Value(given["value"]),
                given["comment"],
                given["reason"],
                given["evidence_url"],
            ),
            person=cast(User, request.user),
            at=at,
        )
    except ThroughlineError as error:
        if not is_htmx:
            return refuse(request, error, _address(assessment))
        status = 422 if isinstance(error, InputError) else status_of(error)
        context = {"error": error.sentence}
        # Refusals are swapped in like conflicts, so that the sentence stands where it arose.
        return render(
            request, "metrics/_saved.html", context, status=409 if status == 403 else status
        )
    if not is_htmx:
        return redirect(_address(assessment, statement.partition(".")[0]))
    return _answer_saved(request, assessment, answer, at)


def _answer_saved(
    request: HttpRequest, assessment: Assessment, answer: Answer, at: datetime
) -> HttpResponse:
    model = find_model(assessment)
    answers = read_answers(assessment)
    mine = next(one for one in answers if one.pk == answer.pk)
    result = find_result(assessment, answers, model, at)
    answered = {one.statement_id for one in answers}
    standing = show_result(result, model, answered, is_frozen=assessment.is_frozen)
    written = result.get("checks", {}).get(answer.statement_id)
    context: dict[str, Any] = {
        **make_rights(assessment, cast(User, request.user)),
        "assessment": assessment,
        "saved_at": timezone.localtime(at),
        "one": make_statement(model.get_statement(answer.statement_id), mine, at, written),
        "standing": standing,
        "sentence": open_assessment(assessment, standing),
    }
    return render(request, "metrics/_saved.html", context)


def _do(
    request: HttpRequest, team: str, cycle: str, act: Callable[..., Any], *rest: str, said: str
) -> HttpResponseBase:
    """Calls one action on an assessment and goes back to it."""
    assessment = find_assessment(team, cycle)
    category = rest[0].partition(".")[0] if rest else ""
    try:
        act(assessment.pk, *rest, person=cast(User, request.user), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, _address(assessment))
    messages.success(request, said)
    return redirect(_address(assessment, category))


@require_POST
def accept(request: HttpRequest, team: str, cycle: str, statement: str) -> HttpResponseBase:
    """Accepts the evidence of an answer."""
    return _do(request, team, cycle, accept_evidence, statement, said="Evidence accepted.")


@require_POST
def agree_na(request: HttpRequest, team: str, cycle: str, statement: str) -> HttpResponseBase:
    """Agrees that a statement does not apply."""
    return _do(request, team, cycle, agree_not_applicable, statement, said="Agreed for 180 days.")


@require_POST
def submit_for_review(request: HttpRequest, team: str, cycle: str) -> HttpResponseBase:
    """Puts a draft up for review."""
    return _do(request, team, cycle, submit, said="Submitted. Somebody else agrees it.")


@require_POST
def return_to_draft(request: HttpRequest, team: str, cycle: str) -> HttpResponseBase:
    """Makes it a draft again."""
    return _do(request, team, cycle, send_back, said="It is a draft again.")


@require_POST
def agree_result(request: HttpRequest, team: str, cycle: str) -> HttpResponseBase:
    """Freezes the result."""
    return _do(request, team, cycle, agree, said="Agreed. The result is frozen.")
