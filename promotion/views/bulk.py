"""Approving several promotions of the inbox: first what each would do, then one press for all."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from promotion import tasks
from promotion.actions.approve_in_bulk import MOST, approve_each, why_not_in_bulk
from promotion.gates.approval import approval_facts
from promotion.models import Promotion, User
from promotion.rules.states import State

from .approval_panel import why_not
from .person import person_of
from .promotion_lines import PromotionLine, lines_of

LONGEST_COMMENT = 2000


@dataclass(frozen=True, slots=True)
class Chosen:
    """One row of the confirmation; `refusal` says why it will not be approved here."""

    line: PromotionLine
    refusal: str


@require_POST
def approve(request: HttpRequest) -> HttpResponse:
    """Shows what was chosen; with `confirmed` records an approval of each, and tells of each refusal."""
    numbers = _numbers(request)
    if not numbers:
        messages.info(request, "Nothing was chosen, and nothing was changed.")
        return redirect("inbox")
    if len(numbers) > MOST:
        messages.error(
            request, f"At most {MOST} are approved at once. Nothing was changed; choose fewer."
        )
        return redirect("inbox")
    if request.POST.get("confirmed") != "yes":
        return _confirm(request, numbers)
    return _record(request, numbers)


def _numbers(request: HttpRequest) -> list[int]:
    given = dict.fromkeys(request.POST.getlist("promotion"))
    return [int(one) for one in given if one.isascii() and one.isdecimal() and len(one) < 19]


def _confirm(request: HttpRequest, numbers: list[int]) -> HttpResponse:
    at, person = timezone.now(), person_of(request)
    rows = Promotion.objects.filter(pk__in=numbers).order_by("asked_at", "pk")
    lines = lines_of(rows.prefetch_related("release__artifacts"), at)
    chosen = [Chosen(line, _refusal(line.promotion, person, at)) for line in lines]
    context = {
        "chosen": chosen,
        "able": sum(not one.refusal for one in chosen),
        "nav_section": "inbox",
    }
    return render(request, "promotion/inbox_bulk.html", context)


def _refusal(promotion: Promotion, person: User, at: datetime) -> str:
    if promotion.state != State.WAITING:
        return f"It is {promotion.state}; nothing is decided about it any more."
    return why_not_in_bulk(promotion, at) or why_not(approval_facts(promotion, at), person)


def _record(request: HttpRequest, numbers: list[int]) -> HttpResponse:
    wanted = [(number, request.POST.get(f"hash-{number}", "")[:71]) for number in numbers]
    comment = request.POST.get("comment", "").replace("\x00", "")[:LONGEST_COMMENT]
    answers = approve_each(wanted, person=person_of(request), comment=comment, at=timezone.now())
    recorded = [one.number for one in answers if not one.refusal]
    for number in recorded:
        tasks.advance.delay_on_commit(number)
    if recorded:
        plural = "" if len(recorded) == 1 else "s"
        named = ", ".join(f"P-{number}" for number in recorded)
        messages.success(request, f"{len(recorded)} approval{plural} recorded: {named}.")
    for one in answers:
        if one.refusal:
            messages.error(request, f"P-{one.number} was not approved. {one.refusal}")
    return redirect("inbox")
