"""Where services run, and what holds promotions back there: freezes and locks."""

from collections import defaultdict
from datetime import datetime

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from promotion import tasks
from promotion.actions.freeze import freeze, lift_freeze, list_touched, may_freeze
from promotion.actions.lock import may_lock
from promotion.configuration_forms import FreezeForm, LockForm
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import Environment, Freeze, Lock, Role, Team, User

from .person import person_of
from .refusing import refuse, status_of
from .release_story import list_words


@require_safe
def list_environments(request: HttpRequest) -> HttpResponse:
    """In the order of the stages, with what holds each."""
    return show_page(request)


@require_POST
def make_freeze(request: HttpRequest) -> HttpResponse:
    """Freezes a scope from now on, and has what it touches looked at."""
    form = FreezeForm(request.POST)
    if not form.is_valid():
        return show_page(request, status=400, form=form)
    fields = form.cleaned_data
    try:
        made = freeze(
            form.chosen,
            person=person_of(request),
            reason=fields["reason"],
            at=timezone.now(),
            ends_at=fields["ends_at"],
        )
    except InputError as error:
        form.add_problem(error)
        return show_page(request, status=status_of(error), form=form)
    except ThroughlineError as error:
        return refuse(request, error, way_back(request))
    _schedule(made)
    messages.success(request, f"{made.scope} is frozen.".capitalize())
    return redirect(way_back(request))


@require_POST
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Lifts a freeze, and has what it touched looked at."""
    found = get_object_or_404(Freeze, pk=pk)
    try:
        lifted = lift_freeze(found.pk, person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, way_back(request))
    _schedule(lifted)
    messages.success(request, f"The freeze of {lifted.scope} is lifted.")
    return redirect(way_back(request))


def way_back(request: HttpRequest) -> str:
    """The page of the environment the form stood on, else the list."""
    slug = request.POST.get("back", "").replace("\x00", "")
    if slug and Environment.objects.filter(slug=slug).exists():
        return reverse("environment-detail", args=[slug])
    return reverse("environment-list")


def _schedule(made: Freeze) -> None:
    for service in list_touched(made):
        tasks.look_at_service.delay_on_commit(service)


def show_page(
    request: HttpRequest,
    *,
    status: int = 200,
    form: FreezeForm | None = None,
    lock_form: LockForm | None = None,
) -> HttpResponse:
    """The page; a form that was refused stands open on it."""
    person, at = person_of(request), timezone.now()
    prefetch_related_objects([person], "memberships")  # asked once for every freeze below
    freezes, locks = freeze_rows(person, at), lock_rows(person, at)
    may_freeze_any = any(
        membership.role == Role.RELEASE_MANAGER for membership in person.memberships.all()
    )
    context = {
        "environments": _environments([row[0] for row in freezes], [row[0] for row in locks], at),
        "freezes": freezes,
        "locks": locks,
        "may_freeze": may_freeze_any,
        "form": (form or FreezeForm()) if may_freeze_any else None,
        "is_open": form is not None,
        "lock_form": (lock_form or LockForm()) if may_freeze_any else None,
        "is_lock_open": lock_form is not None,
        "sentence": _sentence([row[0] for row in freezes], [row[0] for row in locks], at),
    }
    return render(request, "promotion/environment_list.html", context, status=status)


def freeze_rows(person: User, at: datetime) -> list[tuple[Freeze, bool, bool]]:
    """Those not over, each with whether it is to come and whether the person may lift it."""
    rows = (
        Freeze.objects.not_over(at)
        .select_related("environment", "team__parent", "service__team__parent", "created_by")
        .order_by("starts_at", "pk")
    )
    return [(one, one.starts_at > at, may_freeze(person, _owner(one))) for one in rows]


def lock_rows(person: User, at: datetime) -> list[tuple[Lock, bool]]:
    """Those in force, each with whether the person may release it."""
    rows = (
        Lock.objects.in_force(at)
        .select_related("environment", "service__team__parent", "created_by")
        .order_by("created_at")
    )
    return [(one, may_lock(person, one.service.team if one.service else None)) for one in rows]


def _owner(one: Freeze) -> Team | None:
    return one.service.team if one.service else one.team


def _environments(
    freezes: list[Freeze], locks: list[Lock], at: datetime
) -> list[tuple[Environment, list[str]]]:
    """Each with what holds all or some of it now, in words."""
    held: dict[int, list[str]] = defaultdict(list)
    rows = list(Environment.objects.prefetch_related("targets"))
    for one in freezes:
        for row in rows:
            if one.starts_at <= at and reaches(one, row):
                held[row.pk].append(f"frozen: {one.scope}")
    for lock in locks:
        held[lock.environment_id].append(f"locked for {lock.service or 'every service'}")
    return [(row, held[row.pk]) for row in rows]


def reaches(one: Freeze, environment: Environment) -> bool:
    """A freeze of a team or a service reaches into every environment."""
    if one.environment_id:
        return one.environment_id == environment.pk
    return not one.tier or one.tier == environment.tier


def _sentence(freezes: list[Freeze], locks: list[Lock], at: datetime) -> str:
    now = [one for one in freezes if one.starts_at <= at]
    if not now and not locks:
        return "Nothing is frozen and nothing is locked."
    scopes = list(dict.fromkeys(one.scope for one in now))
    parts = [f"{list_words(scopes)} frozen" if scopes else ""]
    if locks:
        parts.append(f"{len(locks)} lock{'s' if len(locks) > 1 else ''} in force")
    said = "; ".join(part for part in parts if part)
    return f"Held back now: {said}."
