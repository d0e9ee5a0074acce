"""Pinning a release where it runs: no other is promoted there until the pin is taken off."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.gates.runs import running_release
from promotion.models import Environment, Pin, Release, Role, Service, User

from .audit import record
from .checking import check_words
from .finish import wake_service

LONGEST_REASON = 500


@transaction.atomic
def pin_release(
    release: int, environment: Environment, *, person: User, reason: str, at: datetime
) -> Pin:
    """Keeps the release in the environment it runs in, and has what waits of the service looked at.

    NotAllowedError where the person is no release manager of the team, InputError without a reason
    or where the release does not run there, ConflictError where one is pinned there already.
    """
    # The service first, as everybody locks; two who pin at once take turns.
    Service.objects.select_for_update(no_key=True).get(releases=release)
    found = Release.objects.select_related("service__team").get(pk=release)
    _check_allowed(person, found.service, "pin releases of")
    said = check_words(reason, "A pin needs a reason", LONGEST_REASON)
    there = Pin.objects.in_force().filter(service=found.service, environment=environment)
    before = there.select_related("release__service", "made_by").first()
    if before is not None:
        raise ConflictError(
            f"{before.made_by.name} has pinned {before.release} in {environment.name} already."
            " Nothing was changed."
        )
    running = running_release(found.service, environment, at)
    if running is None or running.pk != found.pk:
        runs = f"{running.version} runs there" if running else "nothing of it runs there"
        raise InputError(
            f"Only what runs can be pinned: {runs}. Nothing was changed.", key="environment"
        )
    made = Pin.objects.create(
        service=found.service,
        environment=environment,
        release=found,
        reason=said,
        made_by=person,
        made_at=at,
    )
    details = {"environment": environment.slug, "digests": list(found.digests)}
    record("release.pin", made, actor=person, at=at, reason=said, details=details)
    wake_service(found.service_id, at)
    return made


@transaction.atomic
def unpin(pin: int, *, person: User, at: datetime) -> Pin:
    """Takes the pin off, and has what waits of the service looked at.

    NotAllowedError where the person is no release manager of the team, ConflictError where it is off.
    """
    Service.objects.select_for_update(no_key=True).get(pins=pin)
    found = (
        Pin.objects.select_for_update(of=("self",))
        .select_related("service__team", "environment", "release__service", "ended_by")
        .get(pk=pin)
    )
    _check_allowed(person, found.service, "unpin releases of")
    if found.ended_at is not None:
        by = found.ended_by.name if found.ended_by else "Somebody"
        raise ConflictError(f"{by} has taken this pin off already. Nothing was changed.")
    found.ended_at, found.ended_by = at, person
    found.save(update_fields=["ended_at", "ended_by"])
    record("release.unpin", found, actor=person, at=at, reason=found.reason)
    wake_service(found.service_id, at)
    return found


def may_pin(person: User, service: Service) -> bool:
    """The release managers of the service's team."""
    return person.has_role(service.team, Role.RELEASE_MANAGER)


def _check_allowed(person: User, service: Service, verb: str) -> None:
    if not may_pin(person, service):
        raise NotAllowedError(
            f"{person.name} may not {verb} {service.slug}: that takes a release manager of"
            f" {service.team.name}. Nothing was changed."
        )
