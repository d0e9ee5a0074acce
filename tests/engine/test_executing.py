"""Claiming, doing and recording steps, with a clock in hand and a real far side."""

from datetime import timedelta

import pytest

from promotion.actions.advance import advance
from promotion.actions.cancel import cancel_promotion
from promotion.actions.execute import claim, execute
from promotion.actions.outcome import record_outcome
from promotion.actions.promote import Request, ask_for_promotion
from promotion.actions.resolve_step import Resolution, resolve_step
from promotion.exceptions import ConflictError
from promotion.models import AllowedNetwork, AuditEntry, Role, StepRun
from promotion.rules.states import State
from promotion.steps.base import Outcome, StepResult
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_person,
    make_pipeline,
    make_release,
    make_release_manager,
    make_service,
)

pytestmark = pytest.mark.django_db

PIPELINE = """
service: shipment-api
stages:
  - name: dev
    environment: dev
    steps:
      - pause: {for: 10m}
      - http: {url: "http://127.0.0.1:9/nobody", retries: 1}
"""


def start(steps=PIPELINE, at=NOW):
    """A promotion of 4.18.0 to dev whose first step is ready."""
    service = make_service()
    make_pipeline(service, steps)
    place = make_environments()["dev"]
    request = Request(
        release=make_release(service), environment=place, person=make_person("tomasz", Role.MEMBER)
    )
    promotion = ask_for_promotion(request, at=at).promotion
    assert advance(promotion.pk, at=at).step_run
    return promotion


def step(promotion, position=0):
    return promotion.step_runs.filter(position=position).order_by("-attempt").first()


def run_until_waiting(promotion, at):
    while (found := advance(promotion.pk, at=at).step_run) and execute(found, now=lambda: at):
        pass
    promotion.refresh_from_db()


def test_a_pause_holds_no_worker_and_the_next_step_comes_after_it():
    promotion = start()
    run_until_waiting(promotion, NOW)
    assert step(promotion).state == StepRun.State.WAITING
    run_until_waiting(promotion, NOW + timedelta(minutes=9))
    assert step(promotion).state == StepRun.State.WAITING
    assert step(promotion, 1).state == StepRun.State.PENDING
    run_until_waiting(promotion, NOW + timedelta(minutes=10))
    assert step(promotion).state == StepRun.State.SUCCEEDED


def test_waiting_looks_are_not_on_the_audit_record_and_outcomes_are():
    promotion = start()
    run_until_waiting(promotion, NOW)
    assert not AuditEntry.objects.filter(action="step.outcome").exists()
    run_until_waiting(promotion, NOW + timedelta(minutes=10))
    assert AuditEntry.objects.filter(action="step.outcome", details__kind="pause").count() == 1


def test_a_refused_address_ends_the_promotion_as_errored_with_the_reason():
    promotion = start()
    run_until_waiting(promotion, NOW + timedelta(minutes=10))
    run_until_waiting(promotion, NOW + timedelta(minutes=20))
    assert promotion.state == State.ERRORED
    assert "127.0.0.1" in promotion.reason


def test_an_unreachable_far_side_is_tried_again_with_back_off_and_then_errors():
    AllowedNetwork.objects.create(network="127.0.0.1/32", reason="test", created_at=NOW)
    promotion = start()
    for minutes in (0, 10, 11, 20):
        run_until_waiting(promotion, NOW + timedelta(minutes=minutes))
    attempts = list(promotion.step_runs.filter(position=1).values_list("attempt", "state"))
    assert attempts == [(1, "errored"), (2, "errored")]
    assert promotion.state == State.ERRORED


def test_of_two_workers_one_claims_the_step():
    promotion = start()
    first = claim(step(promotion).pk, at=NOW)
    assert first is not None
    assert claim(step(promotion).pk, at=NOW) is None


def test_a_lease_that_ran_out_is_taken_over_and_the_late_writer_changes_nothing():
    promotion = start()
    late = claim(step(promotion).pk, at=NOW)
    taken = claim(step(promotion).pk, at=NOW + timedelta(minutes=5))
    assert taken.token == late.token + 1
    assert not record_outcome(
        late, StepResult(Outcome.FAILED, "late"), at=NOW + timedelta(minutes=6)
    )
    assert step(promotion).state == StepRun.State.RUNNING
    promotion.refresh_from_db()
    assert promotion.state == State.RUNNING


def test_a_step_that_ends_every_worker_is_given_up_after_a_bound(settings):
    settings.STEP_MOST_TAKEOVERS = 3
    promotion = start()
    at = NOW
    for _ in range(4):  # the first worker, and three that take over
        assert claim(step(promotion).pk, at=at) is not None
        at += timedelta(minutes=5)
    assert claim(step(promotion).pk, at=at) is None
    promotion.refresh_from_db()
    assert step(promotion).state == StepRun.State.ERRORED
    assert promotion.state == State.ERRORED
    assert "4 workers in a row ended" in promotion.reason


def test_looks_that_come_back_are_no_takeovers(settings):
    settings.STEP_MOST_TAKEOVERS = 1
    promotion = start()
    at = NOW
    for _ in range(3):
        assert claim(step(promotion).pk, at=at) is not None
        at += timedelta(minutes=2)  # the worker ended, and another one takes over and comes back
        run_until_waiting(promotion, at)
        assert step(promotion).state == StepRun.State.WAITING
        at += timedelta(seconds=30)
    assert step(promotion).takeovers == 0


def test_stopping_takes_effect_at_once_while_a_step_only_waits():
    promotion = start()
    run_until_waiting(promotion, NOW)
    cancel_promotion(promotion.pk, person=promotion.requested_by, reason="Stop it", at=NOW)
    run_until_waiting(promotion, NOW)
    assert promotion.state == State.CANCELLED
    assert {run.state for run in promotion.step_runs.all()} == {StepRun.State.CANCELLED}


def unknown_step():
    """A step that is not safe to repeat and whose worker ended in the middle."""
    text = PIPELINE.replace("retries: 1", "repeatable: false")
    promotion = start(text)
    run_until_waiting(promotion, NOW)
    later = NOW + timedelta(minutes=10)
    assert execute(step(promotion).pk, now=lambda: later)
    assert claim(step(promotion, 1).pk, at=later)
    assert claim(step(promotion, 1).pk, at=later + timedelta(minutes=5)) is None
    assert step(promotion, 1).state == StepRun.State.UNKNOWN
    return promotion


def test_a_step_that_may_have_happened_asks_a_person_and_done_ends_it_well():
    promotion = unknown_step()
    run_until_waiting(promotion, NOW + timedelta(days=1))
    assert promotion.state == State.RUNNING
    resolve_step(step(promotion, 1).pk, Resolution.DONE, person=make_release_manager(), at=NOW)
    promotion.refresh_from_db()
    assert promotion.state == State.SUCCEEDED


def test_a_person_may_have_it_repeated_which_is_kept_as_a_retry_by_a_person():
    promotion = unknown_step()
    manager = make_release_manager()
    resolve_step(step(promotion, 1).pk, Resolution.REPEAT, person=manager, at=NOW)
    again = step(promotion, 1)
    assert (again.attempt, again.was_repeated_by, again.state) == (
        2,
        manager,
        StepRun.State.PENDING,
    )
    assert again.effect_key == promotion.step_runs.get(position=1, attempt=1).effect_key


def test_a_person_may_give_up_and_only_once():
    promotion = unknown_step()
    run = step(promotion, 1)
    resolve_step(run.pk, Resolution.GIVE_UP, person=make_release_manager(), at=NOW)
    promotion.refresh_from_db()
    assert promotion.state == State.ERRORED
    with pytest.raises(ConflictError):
        resolve_step(run.pk, Resolution.DONE, person=make_release_manager(), at=NOW)


def test_a_failed_promotion_rolls_back_where_the_stage_says_so():
    service = make_service()
    make_pipeline(
        service,
        "service: shipment-api\nstages:\n  - name: dev\n    environment: dev\n    on_failure: rollback\n"
        "    steps:\n      - wait-for-deployment: {timeout: 5m}\n",
    )
    place = make_environments()["dev"]
    good, bad = make_release(service, "4.17.0"), make_release(service, "4.18.0")
    make_deployment(good, place, at=NOW - timedelta(days=1))
    promotion = ask_for_promotion(Request(release=bad, environment=place), at=NOW).promotion
    run_until_waiting(promotion, NOW)
    make_deployment(bad, place, at=NOW + timedelta(minutes=1), result="failed")
    run_until_waiting(promotion, NOW + timedelta(minutes=2))
    assert promotion.state == State.FAILED
    undo = promotion.undone_by.get()
    assert (undo.kind, undo.release) == ("rollback", good)
