"""The list of promotions, the page of one, and its live parts."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from promotion.exceptions import ThroughlineError
from promotion.models import Environment, Promotion, Service, Team
from promotion.models.promotion import PromotionQuerySet
from promotion.rules.states import State

from .keyset import asked, take_slice
from .person import person_of
from .promotion_lines import PREFETCHED, PromotionLine
from .promotion_page import (
    gates_context,
    history_context,
    page_context,
    steps_context,
    targets_context,
)
from .refusing import TITLES, status_of

FILTERS = ("state", "service", "environment", "team")
OTHER_PARTS: Mapping[str, Callable[[Promotion], dict[str, Any]]] = {
    "steps": steps_context,
    "targets": targets_context,
    "history": history_context,
}
PARTS = ("gates", *OTHER_PARTS)


@require_safe
def list_promotions(request: HttpRequest) -> HttpResponse:
    """Newest first; filters stand in the address."""
    filters = {name: asked(request, name) for name in FILTERS}
    rows = _filtered(filters).for_display().prefetch_related(*PREFETCHED)
    page = take_slice(rows, "asked_at", asked(request, "cursor"))
    at = timezone.now()
    context = {
        "lines": [PromotionLine(one, at) for one in page.rows],
        "page": page,
        "filters": filters,
        "is_filtered": any(filters.values()),
        "states": [(state.value, state.value.capitalize()) for state in State],
        "services": Service.objects.values_list("slug", flat=True),
        "environments": Environment.objects.all(),
        "teams": Team.objects.all(),
        "sentence": _sentence(),
    }
    return render(request, "promotion/promotion_list.html", context)


def _filtered(filters: dict[str, str]) -> PromotionQuerySet:
    rows = Promotion.objects.all()
    if filters["state"]:
        rows = rows.filter(state=filters["state"])
    if filters["service"]:
        rows = rows.filter(service__slug=filters["service"])
    if filters["environment"]:
        rows = rows.filter(environment__slug=filters["environment"])
    if filters["team"]:
        team = filters["team"]
        rows = rows.filter(Q(service__team__slug=team) | Q(service__team__parent__slug=team))
    return rows


def _sentence() -> str:
    waiting = Promotion.objects.filter(state=State.WAITING.value).count()
    running = Promotion.objects.filter(state=State.RUNNING.value).count()
    if not waiting + running:
        return "No promotion is open."
    waits = f"{waiting:,} promotion{' waits' if waiting == 1 else 's wait'}"
    return f"{waits}, {running:,} {'is' if running == 1 else 'are'} running."


@require_safe
def show_promotion(request: HttpRequest, number: int) -> HttpResponse:
    """Waiting, running or ended: the same page, in the order one decides by."""
    return render_promotion(request, get_promotion(number))


@require_safe
def show_part(request: HttpRequest, number: int, part: str) -> HttpResponse:
    """One live part: the element itself, and nothing that a person types into."""
    promotion = get_promotion(number)
    if part == "gates":
        context = gates_context(promotion, person_of(request), timezone.now())
    else:
        context = OTHER_PARTS[part](promotion)
    seen = asked(request, "seen")
    context["seen"] = seen if seen in set(State) else promotion.state
    return render(request, f"promotion/_{part}.html", context)


def get_promotion(number: int) -> Promotion:
    """With all that the page names; 404 where there is none."""
    found = (
        Promotion.objects.for_display()
        .select_related("replaces", "undoes", "retry_of", "stop_requested_by", "environment")
        .prefetch_related("release__artifacts", "replaces__artifacts")
        .filter(pk=number)
        .first()
    )
    if found is None:
        raise Http404(f"There is no promotion P-{number}.")
    return found


def render_promotion(
    request: HttpRequest,
    promotion: Promotion,
    error: ThroughlineError | None = None,
    typed: str = "",
    forms: Mapping[str, Form] | None = None,
) -> HttpResponse:
    """The page; after a refusal with its sentence on top, and what was typed kept.

    `forms` take the place of those of the same name that the page offers this person.
    """
    context: dict[str, Any] = page_context(promotion, person_of(request), timezone.now())
    context |= {name: form for name, form in (forms or {}).items() if context.get(name)}
    status = 200
    if error is not None:
        status = status_of(error)
        context["problem"] = {
            "title": TITLES.get(status, "This cannot be used"),
            "sentence": error.sentence,
            "status": "waiting" if status == 409 else "failed",
            "is_conflict": status == 409,
            "is_input": status == 400,
        }
        context["typed"] = typed
        context["last_move"] = promotion.transitions.select_related("actor").last()
    context["seen"] = promotion.state
    return render(request, "promotion/promotion_detail.html", context, status=status)
