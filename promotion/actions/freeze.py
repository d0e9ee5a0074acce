"""Freezing: from now on nothing starts in a scope, until an end or until somebody lifts it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Environment, Freeze, Incident, Role, Service, Team, Tier, User

from .audit import record
from .finish import wake_service
from .tell_freezes import tell_begin, tell_end

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """What is frozen: one of these, or everything where none is given."""

    tier: str = ""
    environment: Environment | None = None
    team: Team | None = None
    service: Service | None = None

    @property
    def owner(self) -> Team | None:
        """The team whose release managers may freeze it; None = those of all teams."""
        return self.service.team if self.service else self.team


@transaction.atomic
def freeze(
    scope: Scope,
    *,
    person: User,
    reason: str,
    at: datetime,
    ends_at: datetime | None = None,
    incident: Incident | None = None,
) -> Freeze:
    """Makes the freeze and has every service it touches looked at again.

    NotAllowedError where the person is no release manager there, InputError where the reason is
    missing, the scope names more than one thing, or the end is not after now.
    """
    _check_allowed(person, scope.owner, "freeze")
    _check(scope, reason.strip(), ends_at, at)
    made = Freeze.objects.create(
        tier=scope.tier,
        environment=scope.environment,
        team=scope.team,
        service=scope.service,
        reason=reason.strip(),
        incident=incident,
        starts_at=at,
        ends_at=ends_at,
        created_by=person,
    )
    details: dict[str, Any] = {"scope": made.scope}
    if ends_at:
        details["ends_at"] = ends_at.isoformat()
    record("freeze.make", made, actor=person, at=at, reason=made.reason, details=details)
    tell_begin(made, at=at)
    _wake_touched(made, at)
    return made


@transaction.atomic
def lift_freeze(number: int, *, person: User, at: datetime) -> Freeze:
    """Ends the freeze now and has every service it touched looked at again.

    NotAllowedError where the person is no release manager there, ConflictError where it is over.
    """
    found = Freeze.objects.select_for_update().get(pk=number)
    _check_allowed(person, found.service.team if found.service else found.team, "lift")
    if found.lifted_at is not None or (found.ends_at is not None and found.ends_at <= at):
        by = f" {found.lifted_by.name} lifted it." if found.lifted_by else ""
        raise ConflictError(f"This freeze is over already.{by} Nothing was changed.")
    found.lifted_at, found.lifted_by = at, person
    found.save(update_fields=["lifted_at", "lifted_by"])
    record("freeze.lift", found, actor=person, at=at, reason=found.reason)
    tell_end(found, at=at)
    _wake_touched(found, at)
    return found


def may_freeze(person: User, owner: Team | None) -> bool:
    """Release managers: of the team, or of all teams where the freeze reaches further."""
    return person.has_role(owner, Role.RELEASE_MANAGER)


def _check_allowed(person: User, owner: Team | None, verb: str) -> None:
    if not may_freeze(person, owner):
        whom = f"of {owner.name}" if owner else "of all teams"
        raise NotAllowedError(
            f"{person.name} may not {verb} this: that takes a release manager {whom}."
            " Nothing was changed."
        )


def _check(scope: Scope, reason: str, ends_at: datetime | None, at: datetime) -> None:
    named = [one for one in (scope.tier, scope.environment, scope.team, scope.service) if one]
    if len(named) > 1:
        raise InputError("A freeze has one scope. Nothing was changed.", key="scope")
    if scope.tier and scope.tier not in Tier.values:
        raise InputError(f"There is no tier {scope.tier}. Nothing was changed.", key="scope")
    if not reason or len(reason) > LONGEST_REASON:
        raise InputError(
            f"A freeze needs a reason of at most {LONGEST_REASON} characters. Nothing was changed.",
            key="reason",
        )
    if ends_at is not None and ends_at <= at:
        raise InputError("The end must lie in the future. Nothing was changed.", key="ends_at")


def list_touched(made: Freeze) -> list[int]:
    """The services a freeze may hold; one of an environment or a tier may hold any."""
    services = Service.objects.order_by("pk")  # of two who wake several nobody waits in a circle
    if made.service_id:
        services = services.filter(pk=made.service_id)
    elif made.team_id:
        services = services.filter(team=made.team_id)
    return list(services.values_list("pk", flat=True))


def _wake_touched(made: Freeze, at: datetime) -> None:
    for service in list_touched(made):
        wake_service(service, at)
