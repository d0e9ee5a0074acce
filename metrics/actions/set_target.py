"""A target for a measure, of everybody, a team or a service."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from metrics.described import COUNT, DESCRIBED, HOURS
from metrics.models import MeasureTarget
from promotion.actions.audit import record
from promotion.exceptions import InputError, NotAllowedError
from promotion.models import Role, Service, Team, User


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A target as people write it: per cent for shares and rates, hours for times; None ends it."""

    measure: str
    value: float | None
    team: str = ""
    service: str = ""


def may_set_target(person: User, team: str | None, service: str | None) -> bool:
    """A release manager of the team; for everybody one of all teams, or an administrator."""
    if service:
        found = Service.objects.select_related("team").filter(slug=service).first()
        scope = found.team if found else None
    else:
        scope = Team.objects.filter(slug=team).first() if team else None
    if scope is None and (team or service):
        return False
    return person.has_role(scope, Role.RELEASE_MANAGER, Role.ADMINISTRATOR)


@transaction.atomic
def set_target(new: NewTarget, *, person: User, at: datetime) -> MeasureTarget:
    """Sets the target from now on; the one before stays on record for figures as of earlier.

    Raises InputError for an unknown measure, team or service and for a share above 100 %,
    NotAllowedError where the person may not.
    """
    described = DESCRIBED.get(new.measure)
    if described is None:
        raise InputError(f"There is no measure called {new.measure}. No target was set.")
    if not may_set_target(person, new.team, new.service):
        raise NotAllowedError(
            f"{person.name} may not set targets here: that takes a release manager of the team,"
            " or of all teams for everybody. No target was set."
        )
    value = new.value
    if value is not None and described.unit != HOURS:
        if value > 100:
            raise InputError("A target of more than 100 % cannot be met. No target was set.")
        value /= 100
    target = MeasureTarget.objects.create(
        measure=new.measure,
        team=Team.objects.get(slug=new.team) if new.team and not new.service else None,
        service=Service.objects.get(slug=new.service) if new.service else None,
        value=value,
        set_by=person,
        set_at=at,
    )
    unit = {HOURS: "hours", COUNT: "failures per deployment"}.get(described.unit, "fraction")
    details = {"measure": new.measure, "value": value, "unit": unit}
    record("measure.set-target", target, actor=person, at=at, details=details)
    return target
