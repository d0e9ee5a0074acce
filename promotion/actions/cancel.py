"""Cancelling what waits, and stopping what runs: then it is left as it is, or rolled back."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Promotion, Role, User
from promotion.rules.states import State

from .audit import record
from .finish import wake_service
from .roll_back import check_roll_back
from .tell_moves import tell_move


@transaction.atomic
def cancel_promotion(number: int, *, person: User, reason: str, at: datetime) -> Promotion:
    """Cancels a waiting promotion at once; a running one stops before its next effect, and is left so."""
    promotion = _find_open(number, person, "cancel")
    if promotion.state == State.RUNNING:
        if promotion.stop_requested_at is None:
            _ask_to_stop(promotion, Promotion.StopThen.LEAVE, person, reason, at)
    else:
        promotion.move_to(
            State.CANCELLED, reason=reason or f"{person.name} cancelled it.", at=at, actor=person
        )
        record("promotion.cancel", promotion, actor=person, at=at, reason=reason)
        tell_move(promotion, at=at, actor=person)
        wake_service(promotion.service_id, at)
    promotion.refresh_from_db()
    return promotion


@transaction.atomic
def stop_promotion(number: int, *, then: str, person: User, reason: str, at: datetime) -> Promotion:
    """Stops a running promotion before its next effect; `then` says whether it is left or rolled back.

    Asked again, the later choice stands. NotAllowedError where the person may not stop it, or not
    roll back; ConflictError where it does not run, or there is nothing to go back to; InputError
    for another choice.
    """
    promotion = _find_open(number, person, "stop")
    if promotion.state != State.RUNNING:
        raise ConflictError(
            f"{promotion.number} does not run; cancel it instead. Nothing was changed."
        )
    if then not in Promotion.StopThen.values:
        raise InputError(
            "Choose what follows: leave it as it is, or roll back. Nothing was changed.", key="then"
        )
    if then == Promotion.StopThen.ROLL_BACK:
        check_roll_back(promotion, person, at)
    if promotion.stop_requested_at is None or promotion.stop_then != then:
        _ask_to_stop(promotion, then, person, reason, at)
    promotion.refresh_from_db()
    return promotion


def _find_open(number: int, person: User, verb: str) -> Promotion:
    promotion = Promotion.objects.locked(number)
    if not may_cancel(person, promotion):
        raise NotAllowedError(
            f"{person.name} may not {verb} {promotion.number}: that takes who asked for it, or a release manager of"
            f" {promotion.service.team.name}. Nothing was changed."
        )
    if not promotion.is_open:
        raise ConflictError(
            f"{promotion.number} has already ended ({promotion.state}). Nothing was changed."
        )
    return promotion


def _ask_to_stop(promotion: Promotion, then: str, person: User, reason: str, at: datetime) -> None:
    Promotion.objects.filter(pk=promotion.pk).update(
        stop_requested_at=promotion.stop_requested_at or at,
        stop_requested_by=person,
        stop_then=then,
        next_look_at=at,
    )
    record("promotion.stop", promotion, actor=person, at=at, reason=reason, details={"then": then})


def may_cancel(person: User, promotion: Promotion) -> bool:
    """Who asked, and the release managers of the service's team."""
    return promotion.requested_by_id == person.pk or person.has_role(
        promotion.service.team, Role.RELEASE_MANAGER
    )
