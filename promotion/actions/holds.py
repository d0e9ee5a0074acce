"""Holds of automatic promotion: made by a person's own way, ended by one, or lifted."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, NotAllowedError
from promotion.models import Hold, Promotion, Role, Service, User
from promotion.rules import automatic

from .audit import record


def judge_hold(promotion: Promotion, at: datetime) -> None:
    """Makes or ends the lane's hold after a promotion succeeded; call it inside the transaction of its end."""
    hold = Hold.objects.filter(
        service=promotion.service_id, environment=promotion.environment_id, ended_at=None
    ).first()
    # The rule compares releases only for sameness here, so their keys do.
    ended = automatic.EndedPromotion(
        release=promotion.release_id,
        candidate=promotion.candidate_id,
        succeeded=True,
        by_person=promotion.origin == Promotion.Origin.PERSON,
        is_rollback=promotion.kind == Promotion.Kind.ROLLBACK,
    )
    held = automatic.judge_hold(ended, hold is not None)
    if held and hold is None:
        made = Hold.objects.create(
            service_id=promotion.service_id,
            environment_id=promotion.environment_id,
            made_by=promotion,
            made_at=at,
        )
        record("hold.make", made, actor=None, at=at, details={"promotion": promotion.number})
    elif hold is not None and not held:
        _end(hold, at, None, f"{promotion.number} brought the candidate.")


@transaction.atomic
def lift_hold(hold: int, *, person: User, at: datetime) -> Hold:
    """Lets automatic promotion go on; the candidate may be tried again."""
    Service.objects.select_for_update(no_key=True).get(holds=hold)  # first, as everybody locks
    found = (
        Hold.objects.select_for_update(of=("self",)).select_related("service__team").get(pk=hold)
    )
    if not person.has_role(found.service.team, Role.RELEASE_MANAGER):
        raise NotAllowedError(
            f"{person.name} may not lift holds of {found.service.slug}: that takes a release manager of"
            f" {found.service.team.name}. Nothing was changed."
        )
    if found.ended_at is not None:
        raise ConflictError("This hold has already ended. Nothing was changed.")
    _end(found, at, person, f"{person.name} lifted it.")
    Service.objects.filter(pk=found.service_id).update(next_look_at=at)
    return found


def _end(hold: Hold, at: datetime, person: User | None, because: str) -> None:
    hold.ended_at, hold.ended_by, hold.ended_because = at, person, because
    hold.save(update_fields=["ended_at", "ended_by", "ended_because"])
    record("hold.end", hold, actor=person, at=at, reason=because)
