"""Locking an environment, for one service or for all, and releasing it."""

from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Environment, Lock, Role, Service, Team, User

from .audit import record
from .checking import check_words
from .finish import wake_service

LONGEST_REASON = 500


@transaction.atomic
def make_lock(
    environment: Environment,
    service: Service | None,
    *,
    person: User,
    reason: str,
    at: datetime,
    ends_at: datetime | None = None,
) -> Lock:
    """Locks it from now on, for the service or, where none is named, for all; what runs goes on.

    NotAllowedError where the person is no release manager there, InputError without a reason or
    with an end that is over, ConflictError where the same is locked already.
    """
    # Two who lock the same at once take turns.
    Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)
    _check_allowed(person, service.team if service else None, "lock")
    said = check_words(reason, "A lock needs a reason", LONGEST_REASON)
    if ends_at is not None and ends_at <= at:
        raise InputError("The end must lie in the future. Nothing was changed.", key="ends_at")
    _check_unlocked(environment, service, at)
    made = Lock.objects.create(
        environment=environment,
        service=service,
        reason=said,
        created_by=person,
        created_at=at,
        ends_at=ends_at,
    )
    details: dict[str, Any] = {
        "environment": environment.slug,
        "service": service.slug if service else "",
    }
    if ends_at:
        details["ends_at"] = ends_at.astimezone(UTC).isoformat()
    record("lock.make", made, actor=person, at=at, reason=said, details=details)
    _wake_touched(made, at)
    return made


@transaction.atomic
def release_lock(number: int, *, person: User, at: datetime) -> Lock:
    """Ends the lock now and has what it held looked at again.

    NotAllowedError where the person is no release manager there, ConflictError where it is over.
    """
    found = (
        Lock.objects.select_for_update(of=("self",))
        .select_related("environment", "service__team", "released_by")
        .get(pk=number)
    )
    _check_allowed(person, found.service.team if found.service else None, "release")
    if found.released_at is not None or (found.ends_at is not None and found.ends_at <= at):
        by = f" {found.released_by.name} released it." if found.released_by else ""
        raise ConflictError(f"This lock is over already.{by} Nothing was changed.")
    found.released_at, found.released_by = at, person
    found.save(update_fields=["released_at", "released_by"])
    record("lock.release", found, actor=person, at=at, reason=found.reason)
    _wake_touched(found, at)
    return found


def may_lock(person: User, owner: Team | None) -> bool:
    """Release managers: of the service's team, or of all teams where every service is locked."""
    return person.has_role(owner, Role.RELEASE_MANAGER)


def list_locked(made: Lock) -> list[int]:
    """The services the lock may hold."""
    if made.service_id:
        return [made.service_id]
    return list(Service.objects.values_list("pk", flat=True))


def _check_allowed(person: User, owner: Team | None, verb: str) -> None:
    if not may_lock(person, owner):
        whom = f"of {owner.name}" if owner else "of all teams"
        raise NotAllowedError(
            f"{person.name} may not {verb} this: that takes a release manager {whom}."
            " Nothing was changed."
        )


def _check_unlocked(environment: Environment, service: Service | None, at: datetime) -> None:
    before = (
        Lock.objects.in_force(at)
        .filter(environment=environment, service=service)
        .select_related("created_by", "environment", "service")
        .first()
    )
    if before is not None:
        raise ConflictError(
            f"{before.created_by.name} has locked {before.scope} already. Nothing was changed."
        )


def _wake_touched(made: Lock, at: datetime) -> None:
    for service in list_locked(made):
        wake_service(service, at)
