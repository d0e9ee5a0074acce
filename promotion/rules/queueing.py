"""Who gives way to a new request, who waits behind whom, and who goes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from promotion.rules.states import State


class Queue(StrEnum):
    """What a stage does with older requests when a newer one comes."""

    SUPERSEDE = "supersede"
    FIFO = "fifo"


@dataclass(frozen=True, slots=True)
class QueuedPromotion:
    """An open promotion of one (service, environment); of one instant the lower `id` is older."""

    id: int
    release: str
    asked_at: datetime
    state: State
    approved_by_person: bool = False


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request for the same (service, environment), not yet made."""

    release: str
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class RequestVerdict:
    """The open promotion to give back instead of a new one, or those a new one supersedes."""

    returned: int | None = None
    superseded: tuple[int, ...] = ()


def judge_request(
    queue: Queue, request: NewRequest, open_promotions: Sequence[QueuedPromotion]
) -> RequestVerdict:
    """Say what a new request does to the open promotions of its service and environment."""
    for promotion in in_order(open_promotions):
        if promotion.release == request.release:
            return RequestVerdict(returned=promotion.id)
    if queue is Queue.FIFO:
        return RequestVerdict()
    superseded = (
        promotion.id
        for promotion in in_order(open_promotions)
        if promotion.state is State.WAITING
        and not (request.automatic and promotion.approved_by_person)
    )
    return RequestVerdict(superseded=tuple(superseded))


def choose_next(open_promotions: Sequence[QueuedPromotion]) -> int | None:
    """The promotion whose turn it is: the one asked for first, and nobody while one runs."""
    ordered = in_order(open_promotions)
    if any(promotion.state is State.RUNNING for promotion in ordered):
        return None
    waiting = (promotion.id for promotion in ordered if promotion.state is State.WAITING)
    return next(waiting, None)


def list_ahead(
    promotion: QueuedPromotion, open_promotions: Sequence[QueuedPromotion]
) -> tuple[int, ...]:
    """Whom this promotion waits behind: what runs, and what waits since earlier."""
    return tuple(
        other.id
        for other in in_order(open_promotions)
        if other.id != promotion.id
        and (other.state is State.RUNNING or _turn(other) < _turn(promotion))
    )


def in_order(promotions: Sequence[QueuedPromotion]) -> list[QueuedPromotion]:
    """The promotions that are not final, the one asked for first ahead."""
    return sorted((p for p in promotions if p.state in _OPEN), key=_turn)


_OPEN = frozenset({State.PENDING, State.WAITING, State.RUNNING})


def _turn(promotion: QueuedPromotion) -> tuple[datetime, int]:
    return promotion.asked_at, promotion.id
