"""The step pause: waits its time and holds no worker."""

from datetime import timedelta

import pytest

from promotion.models import Promotion
from promotion.rules.states import State
from promotion.steps.base import Outcome
from promotion.steps.known import STEPS
from tests.factories import NOW, make_environments, make_promotion, make_release, make_service
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


@pytest.mark.parametrize(
    "settings", [{}, {"for": "soon"}, {"for": "0s"}, {"for": "1m", "person": True}]
)
def test_bad_settings_are_named(settings: dict) -> None:
    assert list(STEP.problems_in(settings))


def test_good_settings_have_no_problems() -> None:
    assert list(STEP.problems_in({"for": "30m"})) == []
    assert STEP.describe({"for": "30m"}) == "For 30m"
    assert STEP.repeat_is_safe({"for": "30m"})
