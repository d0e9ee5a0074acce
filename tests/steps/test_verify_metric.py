"""The step verify-metric against a server that speaks Prometheus's query API."""

from collections.abc import Iterator
from typing import Any

import pytest

from promotion.integrity.outgoing import AddressRefusedError
from promotion.integrity.prometheus import QueryError
from promotion.models import Connection, Promotion
from promotion.rules.states import State
from promotion.steps.base import Outcome, StepResult
from promotion.steps.known import STEPS
from tests.factories import (
    NOW,
    make_connection,
    make_environments,
    make_promotion,
    make_release,
    make_service,
)
from tests.parts.prometheus import Metrics, run_metrics
from tests.steps.contexts import make_context

pytestmark = pytest.mark.django_db

STEP = STEPS["verify-metric"]


@pytest.fixture
def promotion(settings) -> Promotion:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    release = make_release(make_service())
    return make_promotion(
        release, make_environments()["production"], state=State.RUNNING, started_at=NOW
    )


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    with run_metrics() as running:
        make_connection("metrics", Connection.Kind.PROMETHEUS, running.address)
        yield running


def verify(promotion: Promotion, **given: Any) -> list[StepResult]:
    """Every look until the step ends."""
    one = {"connection": "metrics", "query": "rate", "below": 0.005}
    inputs = given if "per_target" in given else {**one, **given}
    context = make_context(promotion, STEP.kind, inputs)
    results, at = [STEP.start(context)], NOW
    while results[-1].outcome is Outcome.WAITING:
        at += results[-1].look_again_in
        looked = make_context(
            promotion, STEP.kind, inputs, at=at, state=results[-1].output, run=context.step_run
        )
        results.append(STEP.look(looked))
    return results


def test_good_values_for_the_time_asked_succeed(promotion: Promotion, metrics: Metrics) -> None:
    metrics.values["rate"] = [["0.001"]]
    results = verify(promotion, **{"for": "10m"})
    assert len(results) == 20
    assert results[-1].outcome is Outcome.SUCCEEDED
    assert results[-1].message == "20 of 20 tries were good."


def test_one_bad_value_too_many_fails_it_at_once(promotion: Promotion, metrics: Metrics) -> None:
    metrics.values["rate"] = [["0.001"], ["0.2"], [], ["0.001"]]
    results = verify(promotion, good="9 of 10")
    assert len(results) == 3
    assert results[-1].outcome is Outcome.FAILED
    assert "no data, asked for below 0.005" in results[-1].message


def test_a_server_that_is_away_is_a_bad_try_and_no_error(
    promotion: Promotion, metrics: Metrics
) -> None:
    metrics.status = 502
    results = verify(promotion, good="1 of 1")
    assert results[-1].outcome is Outcome.FAILED
    assert "answered 502" in results[-1].message


def test_with_several_targets_each_is_asked(promotion: Promotion, metrics: Metrics) -> None:
    metrics.values = {"eu": [["1"]], "us": [["-1"]]}
    each = [
        {"connection": "metrics", "query": name, "above": 0, "good": "1 of 1", "target": name}
        for name in ("eu", "us")
    ]
    results = verify(promotion, per_target=each)
    assert results[-1].outcome is Outcome.FAILED
    assert "eu: 1, asked for above 0, us: -1" in results[-1].message


def test_a_query_that_cannot_be_right_is_an_error_and_no_bad_try(
    promotion: Promotion, metrics: Metrics, settings
) -> None:
    with pytest.raises(QueryError, match="parse error"):
        verify(promotion, query="rate[")
    settings.ALLOWED_PRIVATE_NETWORKS = []
    with pytest.raises(AddressRefusedError):
        verify(promotion)


def test_its_outcome_is_a_verification_and_it_says_what_it_asks() -> None:
    assert STEP.is_verification
    assert STEP.repeat_is_safe({})
    assert STEP.describe({"query": "rate", "below": 0.005}) == "rate below 0.005"


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({"connection": "m", "query": "up", "above": 0, "for": "5m", "every": "10s"}, []),
        ({"connection": "m", "query": "up", "equals": 0}, ["below", "equals"]),
        ({"connection": "m", "query": "up", "above": 0, "good": "10"}, ["good"]),
        ({"connection": "m", "query": "up", "above": 0, "every": "0s"}, ["every"]),
        ({"query": "up", "above": 0}, ["connection"]),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], keys: list[str]) -> None:
    assert sorted({key for key, _ in STEP.problems_in(settings)}) == keys
