"""Superseding, waiting in line, asking twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from promotion.rules.queueing import (
    NewRequest,
    Queue,
    QueuedPromotion,
    RequestVerdict,
    choose_next,
    judge_request,
    list_ahead,
)
from promotion.rules.states import FINAL, State, may_move

NOON = datetime(2027, 2, 1, 12, tzinfo=UTC)


def queued(number: int, state: State = State.WAITING, *, approved: bool = False) -> QueuedPromotion:
    asked_at = NOON + timedelta(minutes=number)
    return QueuedPromotion(number, f"r{number}", asked_at, state, approved)


def test_a_persons_request_supersedes_also_what_a_person_approved() -> None:
    verdict = judge_request(Queue.SUPERSEDE, NewRequest("new"), [queued(1, approved=True)])
    assert verdict == RequestVerdict(superseded=(1,))


def test_an_automatic_request_supersedes_those_nobody_approved_and_passes_over_the_others() -> None:
    waiting = [queued(1, approved=True), queued(2)]
    verdict = judge_request(Queue.SUPERSEDE, NewRequest("new", automatic=True), waiting)
    assert verdict == RequestVerdict(superseded=(2,))


def test_asking_for_what_is_open_supersedes_nothing() -> None:
    verdict = judge_request(Queue.SUPERSEDE, NewRequest("r1"), [queued(1), queued(2)])
    assert verdict == RequestVerdict(returned=1)


def test_a_final_promotion_is_not_given_back() -> None:
    ended = queued(1, State.FAILED)
    assert judge_request(Queue.SUPERSEDE, NewRequest("r1"), [ended]) == RequestVerdict()


def test_of_two_asked_for_at_one_instant_the_one_made_first_goes_first() -> None:
    one, two = replace(queued(1), asked_at=NOON), replace(queued(2), asked_at=NOON)
    assert choose_next([two, one]) == 1


def test_a_promotion_waits_behind_what_runs_and_what_waits_longer() -> None:
    line = [queued(1, State.RUNNING), queued(2), queued(3), queued(4), queued(0, State.FAILED)]
    assert list_ahead(line[2], line) == (1, 2)


requests = st.tuples(st.just("ask"), st.integers(0, 4), st.booleans(), st.booleans())
ends = st.tuples(st.just("end"), st.integers(0, 9), st.sampled_from(sorted(FINAL)))


@given(st.sampled_from(Queue), st.lists(requests | ends, max_size=30))
def test_at_most_one_runs_and_no_release_is_open_twice(queue: Queue, changes: list[Any]) -> None:
    line: dict[int, QueuedPromotion] = {}
    for time, change in enumerate(changes):
        if change[0] == "ask":
            _, release, automatic, approved = change
            verdict = judge_request(queue, NewRequest(str(release), automatic), list(line.values()))
            for older in verdict.superseded:
                line[older] = replace(line[older], state=State.SUPERSEDED)
            if verdict.returned is None:
                at = NOON + timedelta(minutes=time)
                new = QueuedPromotion(len(line), str(release), at, State.WAITING, approved)
                line[new.id] = new
        elif change[1] in line and may_move(line[change[1]].state, change[2]):
            line[change[1]] = replace(line[change[1]], state=change[2])
        following = choose_next(list(line.values()))
        if following is not None:
            line[following] = replace(line[following], state=State.RUNNING)
        opened = [p for p in line.values() if p.state not in FINAL]
        assert sum(p.state is State.RUNNING for p in opened) == min(len(opened), 1)
        assert len({p.release for p in opened}) == len(opened)
