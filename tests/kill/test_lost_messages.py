"""Brokers that forget their messages, or die and come back empty, while promotions run."""

from promotion.models import StepRun
from promotion.rules.states import State
from tests.kill.lanes import FarSides, ended_as, is_at, runs_of, start_promotion
from tests.parts.processes import Processes, wait_until

RUNNING = StepRun.State.RUNNING
SOLO = ("--pool", "solo")


def test_a_broker_that_forgets_its_messages_costs_nothing_but_seconds(
    processes: Processes, far_sides: FarSides
) -> None:
    promotion = start_promotion(far_sides, "http", "pause", "git-commit")
    processes.advance(promotion.pk)
    processes.broker.forget()
    processes.have_worker(*SOLO)
    wait_until(lambda: is_at(promotion, StepRun.State.WAITING, 1), "it came to the pause")
    processes.broker.forget()
    wait_until(lambda: ended_as(promotion) == State.SUCCEEDED, "it ends")
    assert set(far_sides.service.done.values()) == {1}
    assert far_sides.count_commits(runs_of(promotion)[2].effect_key) == 1


def test_a_broker_that_dies_and_comes_back_empty_costs_nothing_but_seconds(
    processes: Processes, far_sides: FarSides
) -> None:
    processes.have_worker(*SOLO)
    bar = far_sides.service.moments.before_answering
    bar.close()
    promotion = start_promotion(far_sides, "http", "pause", "git-commit")
    processes.advance(promotion.pk)
    wait_until(bar.has_been_reached, "the far side is reached")
    processes.broker.kill()
    bar.open()
    wait_until(lambda: not is_at(promotion, RUNNING), "the answer is recorded without a broker")
    processes.broker.start()
    processes.broker.forget()
    wait_until(lambda: ended_as(promotion) == State.SUCCEEDED, "it ends")
    assert set(far_sides.service.done.values()) == {1}
    assert far_sides.count_commits(runs_of(promotion)[2].effect_key) == 1
