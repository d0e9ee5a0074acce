"""Workers that sleep past their lease or wait for a slow far side, and outcomes that nobody knows."""

import pytest
from django.utils import timezone

from promotion.actions.resolve_step import Resolution, resolve_step
from promotion.models import AuditEntry, Promotion, StepRun
from promotion.rules.states import State
from tests.factories import make_release_manager
from tests.kill.lanes import FarSides, ended_as, is_at, runs_of, start_promotion
from tests.parts.processes import LEASE_SECONDS, Processes, wait_until

RUNNING, UNKNOWN = StepRun.State.RUNNING, StepRun.State.UNKNOWN
SUCCEEDED, ERRORED = StepRun.State.SUCCEEDED, StepRun.State.ERRORED
SOLO = ("--pool", "solo")
# The broker carries hints only; which of the two it is makes no difference here.
pytestmark = pytest.mark.parametrize("processes", ["embedded"], indirect=True, scope="module")
# One process for each step that is held, and one to go on with.
THREE_HELD = ("--pool", "prefork", "--concurrency", "4")


@pytest.fixture(autouse=True)
def _no_worker_of_another_test(processes: Processes) -> None:
    processes.kill_workers()


def photograph(promotion: Promotion) -> list[tuple[object, ...]]:
    """All that is on record of a promotion."""
    ids = {str(promotion.pk), *(str(run.pk) for run in runs_of(promotion))}
    return [
        *Promotion.objects.filter(pk=promotion.pk).values_list(),
        *StepRun.objects.filter(promotion=promotion).values_list(),
        *promotion.transitions.values_list(),
        *AuditEntry.objects.filter(subject_id__in=ids).values_list("pk", "action", "payload"),
    ]


@pytest.mark.parametrize(("kind", "moment"), [("http", "after"), ("git-commit", "during")])
def test_a_worker_that_wakes_up_after_its_lease_changes_nothing(
    processes: Processes, far_sides: FarSides, kind: str, moment: str
) -> None:
    sleeper = processes.have_worker(*SOLO)
    bar = far_sides.bars(moment)[kind]
    bar.close()
    promotion = start_promotion(far_sides, kind)
    processes.advance(promotion.pk)
    wait_until(bar.has_been_reached, "the far side is reached")
    sleeper.freeze()
    successor = processes.begin_worker(*SOLO)
    wait_until(lambda: runs_of(promotion)[0].token == 2, "another worker took the step over")
    bar.open()
    wait_until(lambda: ended_as(promotion) == State.SUCCEEDED, "it ends")
    # Nobody else is left who could do what the one that slept is told next.
    successor.kill()
    before = photograph(promotion)
    key = runs_of(promotion)[0].effect_key
    sleeper.thaw()
    later = start_promotion(far_sides, "http", name="later")
    processes.advance(later.pk)
    wait_until(lambda: ended_as(later) == State.SUCCEEDED, "it is done with the late answer")
    assert photograph(promotion) == before
    assert runs_of(promotion)[0].token == 2
    if kind == "http":
        assert (far_sides.service.done[key], far_sides.service.repeats[key]) == (1, 1)
    else:
        assert far_sides.count_commits(key) == 1


def test_a_far_side_slower_than_a_lease_is_called_once(
    processes: Processes, far_sides: FarSides
) -> None:
    processes.have_worker("--pool", "prefork", "--concurrency", "2")
    bar = far_sides.service.moments.before_answering
    bar.close()
    promotion = start_promotion(far_sides, "http-once")
    processes.advance(promotion.pk)
    wait_until(bar.has_been_reached, "the far side is reached")
    begun = runs_of(promotion)[0].begun_at
    wait_until(
        lambda: (timezone.now() - begun).total_seconds() > 2 * LEASE_SECONDS,
        "two leases have passed",
    )
    assert is_at(promotion, RUNNING)
    bar.open()
    wait_until(lambda: bool(ended_as(promotion)), "it ends")
    (run,) = runs_of(promotion)
    assert (promotion.state, run.token) == (State.SUCCEEDED, 1)
    assert not far_sides.service.repeats


def test_a_step_that_may_not_be_repeated_asks_a_person_after_a_kill(
    processes: Processes, far_sides: FarSides
) -> None:
    worker = processes.have_worker(*THREE_HELD)
    bar = far_sides.service.moments.before_answering
    bar.close()
    answers = {one: start_promotion(far_sides, "http-once", name=one.name) for one in Resolution}
    for promotion in answers.values():
        processes.advance(promotion.pk)
    wait_until(lambda: len(far_sides.service.done) == 3, "all three calls are done")
    worker.kill()
    bar.open()
    processes.begin_worker(*SOLO)
    for promotion in answers.values():
        wait_until(lambda promotion=promotion: is_at(promotion, UNKNOWN), "a person is asked")
    assert set(far_sides.service.done.values()) == {1}
    assert not far_sides.service.repeats
    person = make_release_manager()
    for answer, promotion in answers.items():
        resolve_step(runs_of(promotion)[0].pk, answer, person=person, at=timezone.now())
    for promotion in answers.values():
        wait_until(lambda promotion=promotion: bool(ended_as(promotion)), "it ends")
    check_answers(far_sides, answers)


def check_answers(sides: FarSides, answers: dict[Resolution, Promotion]) -> None:
    """Only the repeat was sent again, under the same key."""
    states = {one: [run.state for run in runs_of(answers[one])] for one in answers}
    assert states == {
        Resolution.DONE: [SUCCEEDED],
        Resolution.REPEAT: [ERRORED, SUCCEEDED],
        Resolution.GIVE_UP: [ERRORED],
    }
    assert {one: promotion.state for one, promotion in answers.items()} == {
        Resolution.DONE: State.SUCCEEDED,
        Resolution.REPEAT: State.SUCCEEDED,
        Resolution.GIVE_UP: State.ERRORED,
    }
    first, second = runs_of(answers[Resolution.REPEAT])
    assert first.effect_key == second.effect_key
    assert second.was_repeated_by.username == "ines"
    assert sides.service.repeats == {first.effect_key: 1}
    said = AuditEntry.objects.filter(action="step.resolve").values_list("reason", "actor__username")
    assert set(said) == {(one.value, "ines") for one in Resolution}
