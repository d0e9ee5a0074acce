"""What is owed after the fact: reviews of broken glasses, causes of failures, actions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from promotion.actions.review import reviews_for
from promotion.actions.tell_cause import actions_of, promotions_to_explain
from promotion.models import BreakGlass, Promotion, User

from .keyset import asked, take_slice

SHOWN = 50
OF_PROMOTION = ("release", "release__service", "service", "environment")


@dataclass(frozen=True, slots=True)
class Duties:
    """What one person owes, still as queries, so that a tab can count them."""

    reviews: Any
    causes: Any
    actions: Any

    @property
    def count(self) -> int:
        """How many there are together."""
        return int(self.reviews.count() + self.causes.count() + self.actions.count())

    def as_context(self, at: datetime) -> dict[str, Any]:
        """The rows, each list cut at what anybody works through."""
        reviews = _reviews(self.reviews)[:SHOWN]
        return {
            "reviews": [(one, one.review_due_at < at) for one in reviews],
            "causes": list(self.causes.select_related(*OF_PROMOTION)[:SHOWN]),
            "actions": [
                (one, one.action_due is not None and one.action_due < at.date())
                for one in self.actions.select_related(*OF_PROMOTION)[:SHOWN]
            ],
        }


def duties_of(person: User, at: datetime) -> Duties:
    """Reviews the person may do, failures of their teams without a cause, and their open actions."""
    return Duties(reviews_for(person), promotions_to_explain(person, at), actions_of(person))


@require_safe
def list_reviews(request: HttpRequest) -> HttpResponse:
    """Every broken glass, or those whose review is owed; the newest first."""
    at, view = timezone.now(), asked(request, "view")
    view = view if view in ("owed", "done") else "owed"
    rows = BreakGlass.objects.filter(reviewed_at__isnull=view == "owed")
    page = take_slice(_reviews(rows), "broken_at", asked(request, "cursor"))
    context = {
        "view": view,
        "page": page,
        "rows": [(one, view == "owed" and one.review_due_at < at) for one in page.rows],
        "owed": BreakGlass.objects.unreviewed().count(),
        "overdue": BreakGlass.objects.overdue(at).count(),
        "nav_section": "inbox",
    }
    return render(request, "promotion/review_list.html", context)


def _reviews(rows: Any) -> Any:
    return rows.select_related(
        "broken_by", "reviewed_by", *(f"promotion__{name}" for name in OF_PROMOTION)
    )


def blocking_first(waiting: Any) -> dict[int, int]:
    """Of each waiting promotion how many others wait for it: behind it in its lane, or further on.

    Further on is the same release in an environment of a later stage. Two queries.
    """
    fields = ("pk", "service", "environment", "environment__rank", "release", "asked_at")
    mine = list(waiting.values_list(*fields))
    others = list(
        Promotion.objects.open().filter(service__in={row[1] for row in mine}).values_list(*fields)
    )
    return {row[0]: sum(_waits_for(other, row) for other in others) for row in mine}


def _waits_for(other: tuple[Any, ...], row: tuple[Any, ...]) -> bool:
    if other[0] == row[0] or other[1] != row[1]:
        return False
    if other[2] == row[2]:
        return bool((other[5], other[0]) > (row[5], row[0]))
    return bool(other[4] == row[4] and other[3] > row[3])
