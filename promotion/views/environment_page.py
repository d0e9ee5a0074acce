"""One environment: what runs where since when, drift, and when promotions into it may start."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from promotion.actions.pin import may_pin
from promotion.configuration_forms import FreezeForm
from promotion.models import (
    Environment,
    Freeze,
    Hold,
    Lock,
    Pin,
    PipelineVersion,
    Role,
    Service,
    User,
)

from .environment_runs import Running, list_running
from .environments import freeze_rows, lock_rows, reaches
from .person import person_of
from .release_story import list_words
from .windows_calendar import list_calendars


@require_safe
def show_environment(request: HttpRequest, slug: str) -> HttpResponse:
    """Trouble first: drift, then what holds promotions back, what runs, and the calendar."""
    environment = get_object_or_404(Environment.objects.prefetch_related("targets"), slug=slug)
    person, at = person_of(request), timezone.now()
    prefetch_related_objects([person], "memberships__team")
    freezes = [row for row in freeze_rows(person, at) if reaches(row[0], environment)]
    locks = [row for row in lock_rows(person, at) if row[0].environment_id == environment.pk]
    running = list_running(environment, at)
    may_freeze = person.has_role(None, Role.RELEASE_MANAGER)
    context = {
        "environment": environment,
        "running": running,
        "drifting": [row for row in running if row.drift],
        "freezes": freezes,
        "locks": locks,
        "pins": _pins(environment, person),
        "holds": _holds(environment),
        "calendars": list_calendars(
            environment,
            _newest_versions(),
            [row[0] for row in freezes],
            at,
            timezone.get_current_timezone(),
        ),
        "zone": timezone.get_current_timezone_name(),
        "may_freeze": may_freeze,
        "form": FreezeForm(initial={"scope": f"environment:{slug}"}) if may_freeze else None,
        "back": slug,
        "hidden_back": {"back": slug},
        "sentence": _sentence(running, [row[0] for row in freezes], [row[0] for row in locks], at),
        "nav_section": "environment-list",
    }
    return render(request, "promotion/environment_detail.html", context)


def _newest_versions() -> list[tuple[Service, PipelineVersion]]:
    newer = PipelineVersion.objects.filter(
        pipeline=OuterRef("pipeline"), number__gt=OuterRef("number")
    )
    rows = (
        PipelineVersion.objects.filter(~Exists(newer))
        .select_related("pipeline__service")
        .defer("document")
        .order_by("pipeline__service__slug")
    )
    return [(version.pipeline.service, version) for version in rows]


def _pins(environment: Environment, person: User) -> list[tuple[Pin, bool]]:
    """Each with whether the person may take it off."""
    rows = (
        Pin.objects.in_force()
        .filter(environment=environment)
        .select_related("release__service", "service__team__parent", "made_by", "environment")
        .order_by("service__slug")
    )
    return [(pin, may_pin(person, pin.service)) for pin in rows]


def _holds(environment: Environment) -> list[Hold]:
    rows = Hold.objects.filter(environment=environment, ended_at=None)
    return list(
        rows.select_related("service", "made_by__release__service").order_by("service__slug")
    )


def _sentence(
    running: Sequence[Running], freezes: Sequence[Freeze], locks: Sequence[Lock], at: datetime
) -> str:
    """What runs, what drifts, what holds promotions back."""
    services = len({row.service.pk for row in running if row.deployment})
    said = f"{services} service{'' if services == 1 else 's'} deployed here."
    if not services:
        said = "Nothing is known to run here."
    drifting = list(dict.fromkeys(row.service.slug for row in running if row.drift))
    if drifting:
        shown = drifting if len(drifting) <= 3 else [*drifting[:2], f"{len(drifting) - 2} more"]
        said += f" Another digest than the deployed one runs of {list_words(shown)}."
    held = [f"frozen: {one.scope}" for one in freezes if one.starts_at <= at]
    held += [f"locked: {one.service or 'every service'}" for one in locks]
    if held:
        said += f" Held back now: {'; '.join(dict.fromkeys(held))}."
    return said
