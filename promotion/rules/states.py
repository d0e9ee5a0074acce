"""The states of a promotion and the only moves between them."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where one promotion stands."""

    PENDING = "pending"
    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ERRORED = "errored"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


ALLOWED_MOVES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.PENDING: frozenset({State.WAITING, State.CANCELLED}),
        State.WAITING: frozenset(
            {State.RUNNING, State.REJECTED, State.EXPIRED, State.SUPERSEDED, State.CANCELLED}
        ),
        State.RUNNING: frozenset({State.SUCCEEDED, State.FAILED, State.ERRORED, State.CANCELLED}),
    }
)

FINAL: frozenset[State] = frozenset(State) - ALLOWED_MOVES.keys()


def may_move(from_: State, to: State) -> bool:
    """Whether a promotion in `from_` may move to `to`."""
    return to in ALLOWED_MOVES.get(from_, frozenset())
