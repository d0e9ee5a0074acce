"""Why a promotion stands where it stands, and what would let it go on."""

from datetime import timedelta

import pytest

from promotion.actions.advance import advance
from promotion.actions.explain import explain_promotion
from promotion.actions.promote import Request, ask_for_promotion
from promotion.models import Promotion, StepRun
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_environments,
    make_pipeline,
    make_promotion,
    make_release,
    make_service,
    make_step_run,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def places():
    make_pipeline(make_service())
    return make_environments()


def ask_and_look(environment, **fields):
    request = Request(release=make_release(make_service()), environment=environment, **fields)
    number = ask_for_promotion(request, at=NOW).promotion.pk
    advance(number, at=NOW)
    return explain(Promotion.objects.get(pk=number))


def explain(promotion):
    row = Promotion.objects.for_display().get(pk=promotion.pk)
    return explain_promotion(row, at=NOW)


def test_a_closed_gate_says_that_somebody_has_to_act(places):
    told = ask_and_look(places["staging"])
    assert not told.can_go
    assert told.earliest is None
    assert told.unblocking == (
        "Order of stages: 4.18.0 was never deployed to dev."
        " It does not open by itself: somebody has to change that.",
    )


def test_one_asked_for_later_says_when_it_goes_on_by_itself(places):
    told = ask_and_look(places["dev"], not_before=NOW + timedelta(hours=2))
    assert told.reason == "It was asked for a later time."
    assert told.earliest == NOW + timedelta(hours=2)
    assert told.unblocking == (
        "It was asked for not before Mon 23 Nov 2026, 16:20 UTC and goes on by itself then.",
    )


def test_where_the_stage_only_observes_no_gate_has_to_be_unblocked(places):
    make_pipeline(
        make_service(),
        "service: {service}\nstages:\n  - {{name: dev, environment: dev}}\n"
        "  - {{name: staging, environment: staging, after: [dev], mode: observe}}\n",
    )
    told = ask_and_look(places["staging"], not_before=NOW + timedelta(hours=2))
    order = next(result for result in told.results if result.gate == "order")
    assert order.verdict == "closed"
    assert len(told.unblocking) == 1
    assert "not before" in told.unblocking[0]


def test_open_gates_and_its_turn_mean_that_it_can_go(places):
    told = ask_and_look(places["dev"], not_before=NOW + timedelta(minutes=1))
    row = Promotion.objects.for_display().get(pk=told.promotion.pk)
    then = explain_promotion(row, at=NOW + timedelta(minutes=1))
    assert then.can_go
    assert then.earliest == NOW + timedelta(minutes=1)
    assert then.unblocking == ()


def test_a_step_of_unknown_outcome_asks_a_release_manager(places):
    promotion = make_promotion(make_release(make_service()), places["dev"], state=State.RUNNING)
    make_step_run(promotion, "http", state=StepRun.State.SUCCEEDED)
    make_step_run(promotion, "git-commit", state=StepRun.State.UNKNOWN)
    told = explain(promotion)
    assert len(told.unblocking) == 1
    assert "git-commit" in told.unblocking[0]
    assert "release manager" in told.unblocking[0]
    assert [step.kind for step in told.steps] == ["http", "git-commit"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State.FAILED, "may be tried again"),
        (State.EXPIRED, "may be tried again"),
        (State.REJECTED, "can be asked for again"),
        (State.SUPERSEDED, "can be asked for again"),
        (State.SUCCEEDED, None),
    ],
)
def test_what_has_ended_says_whether_it_can_be_had_again(places, state, said):
    told = explain(make_promotion(make_release(make_service()), places["dev"], state=state))
    assert told.approval is None
    assert not told.can_go
    assert [said in sentence for sentence in told.unblocking] == ([True] if said else [])


def test_explaining_changes_nothing(places):
    told = ask_and_look(places["staging"])
    before = Promotion.objects.filter(pk=told.promotion.pk).values().get()
    explain(told.promotion)
    assert Promotion.objects.filter(pk=told.promotion.pk).values().get() == before
