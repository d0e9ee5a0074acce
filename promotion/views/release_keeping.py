"""What keeps promotions of a release's service where they are: pins and holds, seen from one release."""

from typing import Any

from django.db.models import OuterRef, Subquery

from promotion.actions.pin import may_pin
from promotion.models import Deployment, Environment, Hold, Pin, Release, RunResult, User

from .places import RAN


def keeping_of(release: Release, person: User) -> dict[str, Any]:
    """Pins and holds of the service, and where this release runs and may be pinned."""
    service = release.service
    pins = list(
        Pin.objects.in_force()
        .filter(service=service)
        .select_related("environment", "release__service", "made_by")
        .order_by("environment__rank")
    )
    holds = list(
        Hold.objects.filter(service=service, ended_at=None)
        .select_related("environment", "made_by__release")
        .order_by("environment__rank")
    )
    may = may_pin(person, service)
    pinned = {pin.environment_id for pin in pins}
    free = [place for place in _runs_in(release) if place.pk not in pinned] if may else []
    return {"pins": pins, "holds": holds, "may_keep": may, "may_be_pinned_in": free}


def _runs_in(release: Release) -> list[Environment]:
    newest = Deployment.objects.filter(
        service=release.service_id,
        environment=OuterRef("pk"),
        finished_at__isnull=False,
        result__in=RAN,
    ).order_by("-finished_at", "-pk")
    rows = Environment.objects.annotate(
        runs=Subquery(newest.values("release")[:1]), how=Subquery(newest.values("result")[:1])
    )
    return list(rows.filter(runs=release.pk, how=RunResult.SUCCEEDED))
