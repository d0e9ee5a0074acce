"""Whom a waiting promotion waits behind."""

from collections.abc import Sequence

from promotion.models import Promotion
from promotion.rules.queueing import QueuedPromotion, list_ahead
from promotion.rules.states import State


def list_those_ahead(promotion: Promotion) -> tuple[str, ...]:
    """The numbers of those of its lane that it waits behind."""
    lane = Promotion.objects.of(promotion.service, promotion.environment).open()
    queued = {
        one.pk: QueuedPromotion(one.pk, str(one.release_id), one.asked_at, State(one.state))
        for one in lane
    }
    me = queued.get(promotion.pk)
    ahead = list_ahead(me, list(queued.values())) if me else ()
    return tuple(f"P-{number}" for number in ahead)


def say_turn(ahead: Sequence[str]) -> str | None:
    """The sentence for it; None when it is the promotion's turn."""
    return f"It waits behind {', '.join(ahead)}." if ahead else None
