"""Locking an environment and releasing it, on the page of environments."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from promotion import tasks
from promotion.actions.lock import list_locked, make_lock, release_lock
from promotion.configuration_forms import LockForm
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import Lock

from .environments import show_page, way_back
from .person import person_of
from .refusing import refuse, status_of


@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Locks from now on, and has what it holds looked at."""
    form = LockForm(request.POST)
    if not form.is_valid():
        return show_page(request, status=400, lock_form=form)
    fields = form.cleaned_data
    try:
        made = make_lock(
            fields["environment"],
            fields["service"],
            person=person_of(request),
            reason=fields["reason"],
            at=timezone.now(),
            ends_at=fields["ends_at"],
        )
    except InputError as error:
        form.add_problem(error)
        return show_page(request, status=status_of(error), lock_form=form)
    except ThroughlineError as error:
        return refuse(request, error, way_back(request))
    _schedule(made)
    messages.success(request, f"{made.scope} is locked.")
    return redirect(way_back(request))


@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Releases a lock, and has what it held looked at."""
    found = get_object_or_404(Lock, pk=pk)
    try:
        released = release_lock(found.pk, person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, way_back(request))
    _schedule(released)
    messages.success(request, f"The lock of {released.scope} is released.")
    return redirect(way_back(request))


def _schedule(lock: Lock) -> None:
    for service in list_locked(lock):
        tasks.look_at_service.delay_on_commit(service)
