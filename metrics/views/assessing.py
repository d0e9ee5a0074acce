"""What people do with an assessment: begin, answer, accept, submit, agree."""

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from metrics.actions.agree import agree, send_back, submit
from metrics.actions.answer_alone import answer_alone, begin_alone, hand_in, open_discussion
from metrics.actions.assess import save_answer, start_assessment
from metrics.actions.give_evidence import give_evidence
from metrics.actions.support import accept_evidence, agree_not_applicable
from metrics.answer_forms import AnswerForm, EvidenceForm
from metrics.models import Assessment, EvidenceFile
from metrics.tasks import measure_team
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import Team, User
from promotion.views.refusing import refuse, status_of

from .assessments import find_assessment, find_way_on
from .sheet import Sheet


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
        act = answer_alone if assessment.is_answered_alone else save_answer
        act(assessment.pk, form.read(statement), person=cast(User, request.user), at=at)
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
    return _answer_saved(request, assessment, statement, at)


def _answer_saved(
    request: HttpRequest, assessment: Assessment, statement: str, at: datetime
) -> HttpResponse:
    sheet = Sheet(assessment, cast(User, request.user), at)
    found = sheet.model.get_statement(statement)
    context: dict[str, Any] = {
        **sheet.make_context(),
        **find_way_on(sheet, found.category),
        "saved_at": timezone.localtime(at),
        "one": sheet.make_statement(found),
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


@require_POST
def answer_alone_first(request: HttpRequest, team: str, cycle: str) -> HttpResponseBase:
    """Asks every member to answer alone."""
    said = "Each member answers alone now. You facilitate: open the discussion when they are done."
    return _do(request, team, cycle, begin_alone, said=said)


@require_POST
def hand_in_own(request: HttpRequest, team: str, cycle: str) -> HttpResponseBase:
    """Makes a member's own answers final."""
    return _do(request, team, cycle, hand_in, said="Handed in. You see what the others handed in.")


@require_POST
def discuss(request: HttpRequest, team: str, cycle: str) -> HttpResponseBase:
    """Shows everybody what each said."""
    said = "The discussion is open. Where all said the same, that is the team's answer."
    return _do(request, team, cycle, open_discussion, said=said)


@require_POST
def show_evidence(request: HttpRequest, team: str, cycle: str, statement: str) -> HttpResponseBase:
    """Puts evidence on an answer: a link, a file, or both."""
    assessment = find_assessment(team, cycle)
    form = EvidenceForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise InputError(str(next(iter(form.errors.values()))[0]))
        give_evidence(
            assessment.pk,
            statement,
            form.read(),
            person=cast(User, request.user),
            at=timezone.now(),
        )
    except ThroughlineError as error:
        return refuse(request, error, _address(assessment, statement.partition(".")[0]))
    messages.success(request, "Evidence kept. Somebody else accepts it.")
    slug = statement.replace(".", "-")
    return redirect(f"{_address(assessment, statement.partition('.')[0])}#{slug}")


@require_safe
def download_evidence(_request: HttpRequest, key: int) -> HttpResponse:
    """The bytes of an evidence file, to be kept and not opened in the browser."""
    found = get_object_or_404(EvidenceFile, pk=key)
    response = HttpResponse(bytes(found.body), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, found.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Repr-Digest"] = f"sha-256=:{b64encode(bytes.fromhex(found.sha256)).decode()}:"
    return response
