"""Cancelling what waits, and stopping what runs."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, NotAllowedError
from promotion.models import Promotion, Role, User
from promotion.rules.states import State

from .audit import record
from .finish import wake_service


@transaction.atomic
def cancel_promotion(number: int, *, person: User, reason: str, at: datetime) -> Promotion:
    """Cancels a waiting promotion at once; a running one stops before its next effect."""
    promotion = Promotion.objects.locked(number)
    if not may_cancel(person, promotion):
        raise NotAllowedError(
            f"{person.name} may not cancel {promotion.number}: that takes who asked for it, or a release manager of"
            f" {promotion.service.team.name}. Nothing was changed."
        )
    if not promotion.is_open:
        raise ConflictError(
            f"{promotion.number} has already ended ({promotion.state}). Nothing was changed."
        )
    if promotion.state == State.RUNNING:
        if promotion.stop_requested_at is None:
            Promotion.objects.filter(pk=number).update(
                stop_requested_at=at, stop_requested_by=person, next_look_at=at
            )
            record("promotion.stop", promotion, actor=person, at=at, reason=reason)
    else:
        promotion.move_to(
            State.CANCELLED, reason=reason or f"{person.name} cancelled it.", at=at, actor=person
        )
        record("promotion.cancel", promotion, actor=person, at=at, reason=reason)
        wake_service(promotion.service_id, at)
    promotion.refresh_from_db()
    return promotion


def may_cancel(person: User, promotion: Promotion) -> bool:
    """Who asked, and the release managers of the service's team."""
    return promotion.requested_by_id == person.pk or person.has_role(
        promotion.service.team, Role.RELEASE_MANAGER
    )
