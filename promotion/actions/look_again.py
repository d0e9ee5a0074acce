"""A person has the gates of a waiting promotion asked anew."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, NotAllowedError
from promotion.models import Promotion, User
from promotion.rules.states import State

from .audit import record


@transaction.atomic
def look_again(number: int, *, person: User, at: datetime) -> Promotion:
    """Makes every stored answer too old to be used, and the promotion due; whoever advances it asks the gates.

    NotAllowedError where the person may not ask for promotions of the service, since asking costs
    others; ConflictError where the promotion no longer waits.
    """
    promotion = Promotion.objects.select_for_update(of=("self",)).for_display().get(pk=number)
    if not person.may_ask(promotion.service.team):
        raise NotAllowedError(
            f"{person.name} may not have the gates of {promotion.number} asked again: that takes a member or release"
            f" manager of {promotion.service.team.name}. Nothing was changed."
        )
    if promotion.state != State.WAITING:
        raise ConflictError(
            f"{promotion.number} is {promotion.state}; its gates are not asked any more. Nothing was changed."
        )
    promotion.gate_results.filter(fresh_until__gt=at).update(fresh_until=at)
    Promotion.objects.filter(pk=number).update(next_look_at=at)
    record("promotion.evaluate", promotion, actor=person, at=at)
    return promotion
