"""What do I decide next?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from promotion.formats import format_age
from promotion.models import Approval, Promotion, StepRun, User
from promotion.models.promotion import PromotionQuerySet
from promotion.rules.states import State

from .duties import blocking_first, duties_of
from .failures import unanswered_failures
from .keyset import asked, take_slice
from .person import person_of
from .promotion_lines import PromotionLine, lines_of

TABS = {
    "mine": "Needs you",
    "others": "Waiting for others",
    "failed": "Failed or paused, needs a decision",
    "after": "To follow up",
    "decided": "Decided",
}
# More than these nobody works through; the list of promotions pages on.
SHOWN = 100


@require_safe
def show_inbox(request: HttpRequest) -> HttpResponse:
    """One of the four views; what the person can start now comes first, then by age."""
    at, person = timezone.now(), person_of(request)
    view = asked(request, "view")
    view = view if view in TABS else "mine"
    found = _views(person, at)
    counts = {name: rows.count() for name, rows in found.items()}
    duties = duties_of(person, at)
    counts["after"] = duties.count
    context: dict[str, Any] = {
        "view": view,
        "tabs": [(name, words, counts.get(name, 0)) for name, words in TABS.items()],
        "shown": SHOWN,
        "counts": counts,
    }
    if view == "decided":
        context["page"] = take_slice(_decisions_of(person), "at", asked(request, "cursor"))
        context["sentence"] = "What you decided, newest first."
    elif view == "after":
        context |= duties.as_context(at)
        context["sentence"] = _say_duties(duties.count)
    else:
        lines = _mine(found[view], at) if view == "mine" else lines_of(found[view][:SHOWN], at)
        context["lines"] = lines
        context["sentence"] = _sentence(view, counts, lines, at)
    return render(request, "promotion/inbox.html", context)


def _views(person: User, at: datetime) -> dict[str, PromotionQuerySet]:
    waiting = Promotion.objects.filter(state=State.WAITING.value)
    mine = Promotion.objects.waiting_for(person)
    steps = StepRun.objects.filter(promotion=OuterRef("pk"))
    unknown = Exists(steps.filter(state=StepRun.State.UNKNOWN))
    paused = Exists(
        steps.filter(
            kind="pause", inputs__person=True, gone_on_by=None, state=StepRun.State.WAITING
        )
    )
    asks = Promotion.objects.filter(unknown | paused, state=State.RUNNING.value)
    failed = Promotion.objects.filter(pk__in=unanswered_failures(at).values("pk")) | asks
    return {
        "mine": mine.order_by("asked_at", "pk"),
        "others": waiting.exclude(pk__in=mine.values("pk")).order_by("asked_at", "pk"),
        "failed": failed.order_by("-started_at", "-pk"),
    }


def _decisions_of(person: User) -> Any:
    return Approval.objects.filter(person=person).select_related(
        "promotion__release", "promotion__service", "promotion__environment"
    )


def _mine(rows: PromotionQuerySet, at: datetime) -> list[PromotionLine]:
    """What blocks most first, then what starts with one approval, then by age."""
    blocks = blocking_first(rows)
    keys = sorted(blocks, key=lambda key: -blocks[key])[:SHOWN]
    lines = lines_of(rows.filter(pk__in=keys), at, blocks)
    return sorted(lines, key=lambda line: (-line.blocks, not line.starts_with_one_approval))


def _say_duties(count: int) -> str:
    if not count:
        return "Nothing is left to follow up."
    return f"{count} thing{'' if count == 1 else 's'} after the fact: reviews, causes and actions."


def _sentence(
    view: str, counts: dict[str, int], lines: Sequence[PromotionLine], at: datetime
) -> str:
    number = counts[view]
    plural = "" if number == 1 else "s"
    if view == "failed":
        if not number:
            return "Nothing that failed or pauses waits for a decision."
        return f"{number} promotion{plural} failed or pause{'s' if number == 1 else ''}, and somebody has to decide."
    if not number:
        others = counts["others"]
        what = (
            f"{others} wait{'s' if others == 1 else ''} for others"
            if others
            else "nothing waits for others either"
        )
        return f"Nothing waits for you; {what}." if view == "mine" else "Nothing waits for others."
    oldest = (
        f"The oldest has waited {format_age(at - min(one.promotion.asked_at for one in lines))}."
    )
    if view == "others":
        return f"{number} promotion{plural} wait{'s' if number == 1 else ''} for others or for a time. {oldest}"
    now = sum(line.starts_with_one_approval for line in lines)
    starts = f" {now} can start as soon as you approve." if now else ""
    return f"{number} promotion{plural} need{'s' if number == 1 else ''} your approval. {oldest}{starts}"
