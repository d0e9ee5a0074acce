"""The moves between states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotion.rules.states import ALLOWED_MOVES, FINAL, State, may_move


@given(st.sampled_from(sorted(FINAL)), st.sampled_from(State))
def test_a_final_state_never_moves(final: State, to: State) -> None:
    assert not may_move(final, to)


@given(st.lists(st.sampled_from(State), max_size=30))
def test_no_walk_visits_a_state_twice(tries: list[State]) -> None:
    visited = [State.PENDING]
    for to in tries:
        if may_move(visited[-1], to):
            visited.append(to)
    assert len(set(visited)) == len(visited)


@pytest.mark.parametrize("state", [State.PENDING, State.WAITING, State.RUNNING])
def test_every_open_state_can_be_cancelled(state: State) -> None:
    assert may_move(state, State.CANCELLED)


def test_every_state_is_open_or_final_and_not_both() -> None:
    assert set(State) == set(FINAL) | set(ALLOWED_MOVES)
    assert not FINAL & set(ALLOWED_MOVES)
