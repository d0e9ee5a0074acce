"""The step pause: waits its time and holds no worker."""

from datetime import timedelta

import pytest

from promotion.models import Promotion
from promotion.rules.states import State
from promotion.steps.base import Outcome
from promotion.steps.known import STEPS
from promotion.steps.pause import who_may_go_on
from tests.factories import (
    NOW,
    make_environments,
    make_person,
    make_promotion,
    make_release,
    make_service,
)
from tests.steps.contexts import make_context

pytestmark = pytest.mark.django_db

STEP = STEPS["pause"]


@pytest.fixture
def promotion() -> Promotion:
    return make_promotion(
        make_release(make_service()), make_environments()["dev"], state=State.RUNNING
    )


@pytest.mark.parametrize(
    ("passed", "again", "progress"), [(0, 30, 0.0), (30, 30, 0.5), (50, 10, 50 / 60)]
)
def test_it_waits_until_its_time_is_over(
    promotion: Promotion, passed: int, again: int, progress: float
) -> None:
    at = NOW + timedelta(seconds=passed)
    result = STEP.start(make_context(promotion, "pause", {"for": "1m"}, at=at))
    assert result.outcome is Outcome.WAITING
    assert result.look_again_in == timedelta(seconds=again)
    assert result.progress == pytest.approx(progress)


def test_it_ends_exactly_when_its_time_is_over(promotion: Promotion) -> None:
    at = NOW + timedelta(minutes=1)
    result = STEP.look(make_context(promotion, "pause", {"for": "1m"}, at=at))
    assert (result.outcome, result.message) == (Outcome.SUCCEEDED, "Waited 1\u00a0min.")


def test_for_a_person_it_waits_until_somebody_lets_it_go_on(promotion: Promotion) -> None:
    inputs = {"person": True, "from": ["group:security", "role: member"]}
    context = make_context(promotion, "pause", inputs, at=NOW + timedelta(days=40))
    result = STEP.start(context)
    assert result.outcome is Outcome.WAITING
    assert result.message == "Waits until somebody lets it go on: security or member."
    assert result.progress is None
    context.step_run.gone_on_by = make_person("ines")
    assert STEP.look(context).outcome is Outcome.SUCCEEDED
    assert who_may_go_on(inputs) == ("group:security", "role:member")
    assert who_may_go_on({"person": True}) == ("role:release manager",)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "for"),
        ({"for": "soon"}, "for"),
        ({"for": "0s"}, "for"),
        ({"for": "1m", "person": True}, "for"),
        ({"person": False}, "person"),
        ({"person": "ines"}, "person"),
        ({"for": "1m", "from": ["group:security"]}, "from"),
        ({"person": True, "from": []}, "from"),
        ({"person": True, "from": "security"}, "from"),
        ({"person": True, "from": ["role:boss"]}, "from"),
        ({"person": True, "from": ["squad:a"]}, "from"),
    ],
)
def test_bad_settings_are_named(settings: dict, key: str) -> None:
    assert key in [name for name, _ in STEP.problems_in(settings)]


def test_good_settings_have_no_problems() -> None:
    for good in (
        {"for": "30m"},
        {"person": True},
        {"person": True, "from": ["a", "team:x:member"]},
    ):
        assert list(STEP.problems_in(good)) == []
    assert STEP.describe({"for": "30m"}) == "For 30m"
    assert STEP.describe({"person": True}) == "Until somebody lets it go on"
    assert STEP.repeat_is_safe({"for": "30m"})
