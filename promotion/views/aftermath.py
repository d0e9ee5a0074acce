"""What people do in and after an emergency or a failure: break the glass, review, stop, tell the cause."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from promotion import tasks
from promotion.actions.break_glass import Emergency, break_glass
from promotion.actions.cancel import stop_promotion
from promotion.actions.review import review_break_glass
from promotion.actions.tell_cause import Told, set_action_done, tell_cause
from promotion.exceptions import InputError, ThroughlineError
from promotion.forms import BreakGlassForm, CauseForm, ReviewForm, StopForm, refusal_of
from promotion.models import BreakGlass, Promotion

from .person import person_of
from .promotions import get_promotion, render_promotion


@require_POST
def smash(request: HttpRequest, number: int) -> HttpResponse:
    """Lets the promotion past its gates, as the page showed it."""
    form = BreakGlassForm(request.POST)

    def act(at: datetime) -> str:
        if not form.is_valid():
            raise refusal_of(form)
        break_glass(number, Emergency(**form.cleaned_data), person=person_of(request), at=at)
        return "The glass is broken. Somebody else reviews it."

    return _answer(request, number, act, glass_form=form)


@require_POST
def review(request: HttpRequest, number: int, glass: int) -> HttpResponse:
    """Takes the review of a broken glass of this promotion."""
    get_object_or_404(BreakGlass, pk=glass, promotion=number)
    form = ReviewForm(request.POST)

    def act(at: datetime) -> str:
        if not form.is_valid():
            raise refusal_of(form)
        review_break_glass(glass, person=person_of(request), at=at, **form.cleaned_data)
        return "The review is recorded."

    return _answer(request, number, act, review_form=form)


@require_POST
def stop(request: HttpRequest, number: int) -> HttpResponse:
    """Stops what runs before its next effect, and then leaves it or goes back."""
    form = StopForm(request.POST)

    def act(at: datetime) -> str:
        if not form.is_valid():
            raise refusal_of(form)
        given = form.cleaned_data
        stopped = stop_promotion(
            number, then=given["then"], person=person_of(request), reason=given["reason"], at=at
        )
        if stopped.stop_then == Promotion.StopThen.ROLL_BACK:
            return "It stops before its next effect; then the way back is asked for."
        return "It stops before its next effect, and is left as it is."

    return _answer(request, number, act)


@require_POST
def tell(request: HttpRequest, number: int) -> HttpResponse:
    """Keeps the cause of a failure and the action."""
    form = CauseForm(request.POST)

    def act(at: datetime) -> str:
        if not form.is_valid():
            raise refusal_of(form)
        tell_cause(number, Told(**form.cleaned_data), person=person_of(request), at=at)
        return "Cause and action are recorded."

    return _answer(request, number, act, cause_form=form)


@require_POST
def settle(request: HttpRequest, number: int) -> HttpResponse:
    """Marks the action done, or open again."""
    state = request.POST.get("state", "")

    def act(at: datetime) -> str:
        if state not in ("done", "open"):
            raise InputError("The action is done or open. Nothing was changed.", key="state")
        set_action_done(number, is_done=state == "done", person=person_of(request), at=at)
        return f"The action is {state}."

    return _answer(request, number, act)


def _answer(
    request: HttpRequest, number: int, act: Callable[[datetime], str], **forms: Form
) -> HttpResponse:
    """Back to the page with what was done; after a refusal the page itself, what was typed kept."""
    get_promotion(number)
    try:
        said = act(timezone.now())
    except ThroughlineError as error:
        return render_promotion(request, get_promotion(number), error, forms=forms)
    messages.success(request, said)
    tasks.advance.delay_on_commit(number)
    return redirect("promotion-detail", number=number)
