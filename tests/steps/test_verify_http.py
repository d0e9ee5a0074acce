"""The step verify-http: n good of m over a time, and no worker held between tries."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from promotion.integrity.outgoing import AddressRefusedError
from promotion.models import Promotion
from promotion.rules.states import State
from promotion.steps.base import Outcome, StepResult
from promotion.steps.known import STEPS
from tests.factories import NOW, make_environments, make_promotion, make_release, make_service
from tests.parts.recording_server import Answer, RecordingServer, run_recording_server
from tests.steps.contexts import make_context

pytestmark = pytest.mark.django_db

STEP = STEPS["verify-http"]


@pytest.fixture
def promotion(settings) -> Promotion:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    release = make_release(make_service())
    return make_promotion(
        release, make_environments()["staging"], state=State.RUNNING, started_at=NOW
    )


@contextmanager
def answering(*statuses: int) -> Iterator[RecordingServer]:
    """The statuses in turn, the last one for ever."""
    left = list(statuses)
    with run_recording_server(
        lambda asked: Answer(left.pop(0) if len(left) > 1 else left[0])
    ) as server:
        yield server


def verify(promotion: Promotion, **inputs: Any) -> list[StepResult]:
    """Every look until the step ends, its own pauses kept on a clock that does not wait."""
    context = make_context(promotion, STEP.kind, inputs)
    results = [STEP.start(context)]
    at = NOW
    while results[-1].outcome is Outcome.WAITING:
        at += results[-1].look_again_in
        looked = make_context(
            promotion, STEP.kind, inputs, at=at, state=results[-1].output, run=context.step_run
        )
        results.append(STEP.look(looked))
    return results


def test_enough_good_tries_succeed_with_a_pause_between_them(promotion: Promotion) -> None:
    with answering(200) as server:
        results = verify(promotion, url=server.base_url + "/health", good="3 of 3", every="10s")
    assert [result.outcome for result in results] == [
        Outcome.WAITING,
        Outcome.WAITING,
        Outcome.SUCCEEDED,
    ]
    assert results[0].look_again_in == timedelta(seconds=10)
    assert len(server.asked) == 3
    assert results[-1].message == "3 of 3 tries were good."


def test_as_many_bad_tries_as_are_allowed_do_not_fail_it(promotion: Promotion) -> None:
    with answering(500, 200) as server:
        results = verify(promotion, url=server.base_url, good="2 of 3")
    assert results[-1].outcome is Outcome.SUCCEEDED
    assert results[-1].message == "2 of 3 tries were good."


def test_one_bad_try_too_many_fails_it_at_once(promotion: Promotion) -> None:
    with answering(200, 500, 503) as server:
        results = verify(promotion, url=server.base_url, good="9 of 10")
    assert len(results) == 3
    assert results[-1].outcome is Outcome.FAILED
    assert "503" in results[-1].message


def test_it_goes_on_for_the_time_asked(promotion: Promotion) -> None:
    with answering(200) as server:
        results = verify(
            promotion, url=server.base_url, good="2 of 2", every="30s", **{"for": "5m"}
        )
    assert len(results) == 10
    assert results[-1].outcome is Outcome.SUCCEEDED
    assert [result.progress for result in results[:2]] == [0.1, 0.2]


def test_a_service_that_breaks_late_fails_it(promotion: Promotion) -> None:
    with answering(*[200] * 6, 500) as server:
        results = verify(
            promotion, url=server.base_url, good="2 of 3", every="30s", **{"for": "5m"}
        )
    assert len(results) == 8
    assert results[-1].outcome is Outcome.FAILED


def test_what_is_kept_does_not_grow_with_the_tries(promotion: Promotion) -> None:
    with answering(200) as server:
        results = verify(
            promotion, url=server.base_url, good="2 of 3", every="1s", **{"for": "30s"}
        )
    assert len(results[-1].output["tries"]) == 3
    assert results[-1].output["count"] == 30


def test_a_server_that_is_not_there_is_a_bad_try_and_no_error(promotion: Promotion) -> None:
    results = verify(promotion, url="http://127.0.0.1:9/", good="1 of 1")
    assert results[-1].outcome is Outcome.FAILED
    assert "not reached" in results[-1].message


def test_another_status_can_be_expected_and_a_redirect_is_not_followed(
    promotion: Promotion,
) -> None:
    with answering(204) as server:
        assert verify(promotion, url=server.base_url, good="1 of 1")[-1].outcome is Outcome.FAILED
        assert (
            verify(promotion, url=server.base_url, good="1 of 1", expect=[204])[-1].outcome
            is Outcome.SUCCEEDED
        )
    with answering(302) as server:
        assert verify(promotion, url=server.base_url, good="1 of 1")[-1].outcome is Outcome.FAILED


def test_with_several_targets_a_try_is_good_where_all_are(promotion: Promotion) -> None:
    with answering(200, 500) as server:
        each = [
            {"url": f"{server.base_url}/{target}", "good": "1 of 1", "target": target}
            for target in ("eu-1", "us-1")
        ]
        results = verify(promotion, per_target=each)
    assert results[-1].outcome is Outcome.FAILED
    assert "us-1: 500" in results[-1].message


def test_a_private_address_is_an_error_and_no_bad_try(promotion: Promotion, settings) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = []
    with pytest.raises(AddressRefusedError):
        verify(promotion, url="http://127.0.0.1/")


def test_its_outcome_is_a_verification() -> None:
    assert STEP.is_verification
    assert STEP.repeat_is_safe({})


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "url"),
        ({"url": "https://a", "good": "11 of 10"}, "good"),
        ({"url": "https://a", "good": "0 of 10"}, "good"),
        ({"url": "https://a", "good": 9}, "good"),
        ({"url": "https://a", "for": "soon"}, "for"),
        ({"url": "https://a", "every": "0s"}, "every"),
        ({"url": "https://a", "expect": []}, "expect"),
        ({"url": "https://a", "method": "POST"}, "method"),
    ],
)
def test_bad_settings_are_named(settings: dict, key: str) -> None:
    assert key in [name for name, _ in STEP.problems_in(settings)]


def test_good_settings_have_no_problems() -> None:
    good = {"url": "https://staging.example.com/{service}/health", "for": "5m", "good": "9 of 10"}
    assert list(STEP.problems_in(good)) == []
    assert STEP.describe(good) == "9 of 10 at staging.example.com"
