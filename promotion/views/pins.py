"""Pinning a release where it runs, and taking the pin off."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from promotion import tasks
from promotion.actions.pin import pin_release, unpin
from promotion.exceptions import ThroughlineError
from promotion.models import Environment, Pin, Release

from .person import person_of
from .refusing import refuse
from .release_trace import address_of


@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Pins the release named by its key in the environment named by its slug."""
    key = request.POST.get("release", "")
    if not (key.isascii() and key.isdecimal() and len(key) < 19):
        raise Http404
    rows = Release.objects.select_related("service__team").prefetch_related("artifacts")
    release = get_object_or_404(rows, pk=int(key))
    slug = request.POST.get("environment", "").replace("\x00", "")
    environment = get_object_or_404(Environment, slug=slug)
    back = address_of(release)
    try:
        pin_release(
            release.pk,
            environment,
            person=person_of(request),
            reason=request.POST.get("reason", ""),
            at=timezone.now(),
        )
    except ThroughlineError as error:
        return refuse(request, error, back)
    tasks.look_at_service.delay_on_commit(release.service_id)
    messages.success(
        request, f"{release} is pinned in {environment.name}. No other release is promoted there."
    )
    return redirect(back)


@require_POST
def take_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a pin off, and has what waits of the service looked at."""
    found = get_object_or_404(
        Pin.objects.select_related("release__service", "environment").prefetch_related(
            "release__artifacts"
        ),
        pk=pk,
    )
    back = address_of(found.release)
    try:
        unpin(found.pk, person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, back)
    tasks.look_at_service.delay_on_commit(found.service_id)
    messages.success(request, f"{found.release} is no longer pinned in {found.environment.name}.")
    return redirect(back)
