"""Automatic promotion and holds where the vectors are silent."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotion.rules.automatic import AutomaticStage, EndedPromotion

A, B, C, D = range(4)


def by_person(stage: AutomaticStage, release: int, *, succeeded: bool = True) -> AutomaticStage:
    return stage.end(EndedPromotion(release, stage.find_candidate(), succeeded, by_person=True))


def roll_back(stage: AutomaticStage, release: int, *, by: bool = False) -> AutomaticStage:
    candidate = stage.find_candidate()
    return stage.end(EndedPromotion(release, candidate, True, by_person=by, is_rollback=True))


def automatically(stage: AutomaticStage, *, succeeded: bool = True) -> AutomaticStage:
    release = stage.choose()
    assert release is not None
    ended = EndedPromotion(release, release, succeeded, by_person=False)
    return stage.begin(release).end(ended)


STAGE = AutomaticStage().make_available([A, B])


def test_the_candidate_is_judged_as_it_was_when_asked_for() -> None:
    asked = EndedPromotion(B, STAGE.find_candidate(), True, by_person=True)
    assert not STAGE.make_available([C]).end(asked).held


def test_a_successful_promotion_of_something_newer_than_the_candidate_holds_too() -> None:
    assert by_person(STAGE, D).held


def test_without_a_candidate_an_existing_hold_stays() -> None:
    held = roll_back(STAGE, A).veto(A).veto(B)
    assert by_person(held, C).held


def test_a_rollback_to_the_candidate_still_holds() -> None:
    stage = automatically(STAGE).veto(B)
    assert roll_back(stage, A, by=True).held


def test_a_rollback_holds_though_there_is_no_candidate() -> None:
    assert roll_back(AutomaticStage(), A).held


def test_a_lifted_hold_tries_a_failed_candidate_again_once() -> None:
    stage = automatically(STAGE, succeeded=False)
    stage = roll_back(stage, A).lift_hold()
    assert stage.choose() == B
    assert automatically(stage, succeeded=False).choose() is None


def test_a_lifted_hold_does_not_repeat_what_was_not_the_candidate_then() -> None:
    stage = automatically(STAGE, succeeded=False).make_available([C])
    stage = roll_back(automatically(stage, succeeded=False), A).lift_hold()
    assert stage.veto(C).choose() is None


def test_a_lifted_hold_does_not_begin_again_what_is_under_way() -> None:
    stage = roll_back(STAGE.begin(B), A).lift_hold()
    assert stage.choose() is None


def test_a_lifted_hold_does_not_go_back() -> None:
    assert by_person(STAGE, D).lift_hold().choose() is None


def test_what_was_last_promoted_counts_not_the_newest_ever() -> None:
    stage = automatically(AutomaticStage().make_available([C])).veto(C).make_available([A])
    stage = by_person(stage, A)
    assert not stage.held
    assert stage.make_available([B]).choose() == B


def test_an_automatic_promotion_that_ends_late_is_the_last_promoted() -> None:
    stage = AutomaticStage().make_available([A]).begin(A).make_available([C])
    stage = automatically(stage)
    stage = stage.end(EndedPromotion(A, A, True, by_person=False))
    assert stage.last_succeeded == A
    assert stage.choose() is None


def test_a_persons_failure_does_not_use_up_the_one_automatic_try() -> None:
    stage = by_person(AutomaticStage(), B, succeeded=False)
    assert stage.make_available([B]).choose() == B


@given(st.data())
def test_automation_never_goes_back_and_never_repeats_without_a_lifted_hold(
    data: st.DataObject,
) -> None:
    stage, begun = AutomaticStage(), []
    for _ in range(data.draw(st.integers(0, 20))):
        release = data.draw(st.integers(0, 5))
        match data.draw(st.sampled_from(["available", "veto", "person", "rollback"])):
            case "available":
                stage = stage.make_available([release])
            case "veto":
                stage = stage.veto(release)
            case "person":
                stage = by_person(stage, release, succeeded=data.draw(st.booleans()))
            case "rollback":
                stage = roll_back(stage, release)
        chosen = stage.choose()
        if chosen is not None:
            assert not stage.held
            assert chosen not in stage.vetoed
            assert stage.last_succeeded is None or chosen > stage.last_succeeded
            begun.append(chosen)
            stage = automatically(stage, succeeded=data.draw(st.booleans()))
    assert len(begun) == len(set(begun))


@pytest.mark.parametrize("held", [True, False])
def test_a_failure_neither_makes_nor_ends_a_hold(held: bool) -> None:
    stage = replace(STAGE, held=held)
    assert by_person(stage, A, succeeded=False).held is held
    assert by_person(stage, B, succeeded=False).held is held
