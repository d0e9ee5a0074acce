"""Asking again for what ended without success: a new promotion, the next attempt."""

from datetime import datetime

from promotion.exceptions import ConflictError
from promotion.models import Promotion, User
from promotion.rules.states import State

from .promote import Asked, Request, ask_for_promotion

MAY_BE_RETRIED = {
    State.FAILED.value,
    State.ERRORED.value,
    State.CANCELLED.value,
    State.EXPIRED.value,
}


def retry_promotion(number: int, *, person: User, at: datetime) -> Asked:
    """A new promotion of the same release into the same environment, with the same answers."""
    ended = Promotion.objects.for_display().get(pk=number)
    if ended.state not in MAY_BE_RETRIED:
        raise ConflictError(
            f"{ended.number} is {ended.state}; only one that failed, errored, was cancelled or expired is tried"
            " again. Nothing was asked for."
        )
    request = Request(
        release=ended.release,
        environment=ended.environment,
        person=person,
        kind=ended.kind,
        fields=ended.fields,
        retry_of=ended,
        undoes=ended.undoes,
    )
    return ask_for_promotion(request, at=at)
