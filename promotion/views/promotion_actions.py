"""What may be done with a promotion: each view takes one POST, calls one action, schedules, goes back."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from promotion import tasks
from promotion.actions.approve import Choice, decide
from promotion.actions.ask_reverification import ask_for_reverification
from promotion.actions.cancel import cancel_promotion
from promotion.actions.exceptions import (
    NEVER_PASSED,
    Wanted,
    grant_exception,
    revoke_exception,
)
from promotion.actions.go_on import go_on
from promotion.actions.holds import lift_hold as lift
from promotion.actions.look_again import look_again
from promotion.actions.promote import Asked
from promotion.actions.resolve_step import Resolution, resolve_step
from promotion.actions.retry import retry_promotion
from promotion.actions.roll_back import roll_back
from promotion.exceptions import ThroughlineError
from promotion.forms import DecisionForm, ExceptionForm, ReasonForm, ResolutionForm, refusal_of
from promotion.models import Approval, Hold, StepRun
from promotion.rules.states import State

from .gate_rows import gate_title
from .person import person_of
from .promotions import get_promotion, render_promotion


@require_POST
def approve(request: HttpRequest, number: int) -> HttpResponse:
    """Records an approval of exactly what the page showed."""
    return _decide(request, number, Approval.Decision.APPROVE, "Approval recorded.")


@require_POST
def reject(request: HttpRequest, number: int) -> HttpResponse:
    """Ends the promotion with a comment."""
    return _decide(request, number, Approval.Decision.REJECT, "Rejected.")


@require_POST
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Takes the person's own approval back, until the promotion runs."""
    return _decide(request, number, Approval.Decision.WITHDRAW, "Approval withdrawn.")


def _decide(
    request: HttpRequest, number: int, decision: Approval.Decision, said: str
) -> HttpResponse:
    form = DecisionForm(request.POST)

    def act(at: datetime) -> str:
        if not form.is_valid():
            raise refusal_of(form)
        given = form.cleaned_data
        choice = Choice(decision, given["content_hash"], given["comment"])
        decide(number, choice, person=person_of(request), at=at)
        return said

    return answer(request, number, act, typed=request.POST.get("comment", ""))


@require_POST
def cancel(request: HttpRequest, number: int) -> HttpResponse:
    """Cancels what waits, stops what runs before its next effect."""

    def act(at: datetime) -> str:
        promotion = cancel_promotion(
            number, person=person_of(request), reason=reason_of(request), at=at
        )
        if promotion.state == State.RUNNING:
            return "It stops before its next effect."
        return f"{promotion.number} is cancelled."

    return answer(request, number, act)


@require_POST
def evaluate(request: HttpRequest, number: int) -> HttpResponse:
    """Has every gate asked again."""

    def act(at: datetime) -> str:
        look_again(number, person=person_of(request), at=at)
        return "The gates are being asked again."

    return answer(request, number, act)


@require_POST
def retry(request: HttpRequest, number: int) -> HttpResponse:
    """Asks again for what ended without success."""
    return _ask(
        request, number, lambda at: retry_promotion(number, person=person_of(request), at=at)
    )


@require_POST
def rollback(request: HttpRequest, number: int) -> HttpResponse:
    """Asks for the last good release again."""
    return _ask(
        request,
        number,
        lambda at: roll_back(number, person=person_of(request), at=at, reason=reason_of(request)),
    )


@require_POST
def resolve(request: HttpRequest, number: int, step_run: int) -> HttpResponse:
    """Takes the person's word for what became of a step."""
    get_object_or_404(StepRun, pk=step_run, promotion=number)
    form = ResolutionForm(request.POST)

    def act(at: datetime) -> str:
        if not form.is_valid():
            raise refusal_of(form)
        resolution = Resolution(form.cleaned_data["resolution"])
        resolve_step(step_run, resolution, person=person_of(request), at=at)
        return "Recorded; the promotion goes on from there."

    return answer(request, number, act)


@require_POST
def let_go_on(request: HttpRequest, number: int, step_run: int) -> HttpResponse:
    """Ends a pause that waits for a person."""
    get_object_or_404(StepRun, pk=step_run, promotion=number)

    def act(at: datetime) -> str:
        go_on(step_run, person=person_of(request), at=at)
        return "It goes on."

    return answer(request, number, act)


@require_POST
def verify_again(request: HttpRequest, number: int) -> HttpResponse:
    """Has what runs where the promotion went verified again."""
    promotion = get_promotion(number)

    def act(at: datetime) -> str:
        made = ask_for_reverification(
            promotion.service, promotion.environment, person=person_of(request), at=at
        )
        tasks.reverify.delay_on_commit(made.pk)
        return f"{made.release.version} is being verified again."

    return answer(request, number, act)


@require_POST
def lift_hold(request: HttpRequest, hold: int) -> HttpResponse:
    """Lets automatic promotion of the lane go on."""
    found = get_object_or_404(Hold, pk=hold)

    def act(at: datetime) -> str:
        lift(hold, person=person_of(request), at=at)
        tasks.look_at_service.delay_on_commit(found.service_id)
        return "The hold is lifted; automatic promotion goes on."

    return answer(request, found.made_by_id, act)


@require_POST
def let_past(request: HttpRequest, number: int) -> HttpResponse:
    """Grants the release an exception from one gate of the environment."""
    promotion = get_promotion(number)
    results = promotion.gate_results.exclude(gate__in=NEVER_PASSED)
    form = ExceptionForm({one.gate: gate_title(one.gate) for one in results}, request.POST)

    def act(at: datetime) -> str:
        if not form.is_valid():
            raise refusal_of(form)
        wanted = Wanted(promotion.release, promotion.environment, **form.cleaned_data)
        made = grant_exception(wanted, person=person_of(request), at=at)
        return f"{made} is granted; the gates are being asked again."

    return answer(request, number, act)


@require_POST
def revoke(request: HttpRequest, number: int, exception: int) -> HttpResponse:
    """Ends an exception of the promotion's release now."""
    promotion = get_promotion(number)
    found = get_object_or_404(promotion.release.exceptions, pk=exception)

    def act(at: datetime) -> str:
        revoke_exception(found.pk, person=person_of(request), reason=reason_of(request), at=at)
        return f"{found} is revoked; the gates are being asked again."

    return answer(request, number, act)


def _ask(request: HttpRequest, number: int, act: Callable[[datetime], Asked]) -> HttpResponse:
    """Goes to the promotion that was asked for, or that was found open."""
    promotion = get_promotion(number)
    try:
        found = act(timezone.now())
    except ThroughlineError as error:
        return render_promotion(request, promotion, error)
    say_asked(request, found)
    return _go_to(found.promotion.pk)


def say_asked(request: HttpRequest, asked: Asked) -> None:
    """Says whether a request made the promotion or found it open, and has it looked at."""
    if asked.is_new:
        messages.success(request, f"{asked.promotion.number} is asked for.")
    else:
        messages.info(
            request, f"{asked.promotion.number} is open already; nothing new was asked for."
        )
    tasks.advance.delay_on_commit(asked.promotion.pk)


def answer(
    request: HttpRequest, number: int, act: Callable[[datetime], str], typed: str = ""
) -> HttpResponse:
    """Back to the page with what was done; after a refusal the page itself, saying why."""
    get_promotion(number)
    try:
        said = act(timezone.now())
    except ThroughlineError as error:
        return render_promotion(request, get_promotion(number), error, typed)
    messages.success(request, said)
    tasks.advance.delay_on_commit(number)
    return _go_to(number)


def _go_to(number: int) -> HttpResponse:
    return redirect("promotion-detail", number=number)


def reason_of(request: HttpRequest) -> str:
    """The reason that was typed; InputError where it cannot be used."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise refusal_of(form)
    reason: str = form.cleaned_data["reason"]
    return reason
