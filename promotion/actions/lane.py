"""Whom a waiting promotion waits behind."""

from collections.abc import Sequence

from django.db.models import Q

from promotion.models import Promotion, Release
from promotion.rules.queueing import QueuedPromotion, list_ahead
from promotion.rules.states import State

from .past_gates import glass_in_force


def list_those_ahead(promotion: Promotion) -> tuple[str, ...]:
    """The numbers of those of its lane that it waits behind.

    A rollback waits for what runs and for earlier rollbacks only: the way back is never held by
    a request on the way forward. With the glass broken a promotion waits for what runs alone.
    """
    lane = Promotion.objects.of(promotion.service, promotion.environment).open()
    if glass_in_force(promotion) is not None:
        lane = lane.filter(Q(state=State.RUNNING.value) | Q(pk=promotion.pk))
    elif promotion.kind == Promotion.Kind.ROLLBACK:
        lane = lane.filter(Q(state=State.RUNNING.value) | Q(kind=Promotion.Kind.ROLLBACK))
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


def say_veto(release: Release) -> str | None:
    """The sentence that holds a vetoed release, whatever its kind and mode; None where it is not vetoed."""
    return f"{release.version} was vetoed: {release.veto_reason}" if release.is_vetoed else None
