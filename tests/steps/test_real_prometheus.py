"""The step verify-metric and the gate metric ask a real Prometheus, with samples of known times."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from promotion.gates.base import GateContext, GateOutcome, Verdict
from promotion.gates.known import GATES
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
from tests.parts.real_prometheus import Series, run_prometheus
from tests.steps.contexts import make_context

pytestmark = [pytest.mark.django_db, pytest.mark.needs_prometheus]

STEP, GATE = STEPS["verify-metric"], GATES["metric"]
EVERY = timedelta(seconds=30)
# Each value is of its half minute from NOW on.
GOOD = [0.001] * 30
TWO_BAD = [0.001, 0.001, 0.2, 0.001, 0.3, *[0.001] * 25]
ONE_BAD = [0.001, 0.001, 0.2, *[0.001] * 27]
QUERY = 'error_rate{{service="shipment-api",target="{target}"}}'


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    series = [
        Series("error_rate", f'service="shipment-api",target="{target}"', values)
        for target, values in (("eu-1", GOOD), ("eu-2", ONE_BAD), ("us-1", TWO_BAD))
    ]
    series.append(Series("requests", 'service="shipment-api"', [0.0] * 30))
    directory = tmp_path_factory.mktemp("prometheus")
    with run_prometheus(directory, series, begin=NOW, every=EVERY) as running:
        yield running


@pytest.fixture
def promotion(address: str, settings) -> Promotion:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    make_connection("metrics", Connection.Kind.PROMETHEUS, address)
    place = make_environments()["production"]
    return make_promotion(make_release(make_service()), place, state=State.RUNNING, started_at=NOW)


def verify(promotion: Promotion, inputs: dict[str, Any]) -> list[StepResult]:
    """Every look until the step ends, each at its time."""
    context = make_context(promotion, STEP.kind, inputs)
    results, at = [STEP.start(context)], NOW
    while results[-1].outcome is Outcome.WAITING:
        at += results[-1].look_again_in
        looked = make_context(
            promotion, STEP.kind, inputs, at=at, state=results[-1].output, run=context.step_run
        )
        results.append(STEP.look(looked))
    return results


def settings_for(target: str, **given: Any) -> dict[str, Any]:
    one = {"connection": "metrics", "query": QUERY.format(target=target), "below": 0.005}
    return {**one, "for": "10m", "good": "9 of 10", **given}


def test_values_that_stay_good_for_the_time_asked_succeed(promotion: Promotion) -> None:
    results = verify(promotion, settings_for("eu-1"))
    assert len(results) == 20
    assert results[-1].outcome is Outcome.SUCCEEDED


def test_one_bad_of_ten_is_borne_and_the_second_fails_it_when_it_comes(
    promotion: Promotion,
) -> None:
    assert verify(promotion, settings_for("eu-2"))[-1].outcome is Outcome.SUCCEEDED
    results = verify(promotion, settings_for("us-1"))
    assert len(results) == 5
    assert results[-1].outcome is Outcome.FAILED
    assert "0.3, asked for below 0.005" in results[-1].message


def test_of_several_targets_one_that_is_bad_fails_all(promotion: Promotion) -> None:
    each = [{**settings_for(target), "target": target} for target in ("eu-1", "us-1")]
    results = verify(promotion, {"per_target": each})
    assert results[-1].outcome is Outcome.FAILED
    assert "eu-1: 0.001" in results[-1].message and "us-1: 0.3" in results[-1].message


def test_a_series_that_is_not_there_and_one_that_divides_by_nothing_are_not_good(
    promotion: Promotion,
) -> None:
    for query in ('error_rate{target="nowhere"}', "requests / requests"):
        results = verify(promotion, settings_for("eu-1", query=query, good="1 of 1"))
        assert results[-1].outcome is Outcome.FAILED


def test_a_query_that_cannot_be_read_is_an_error_in_prometheus_words(
    promotion: Promotion,
) -> None:
    with pytest.raises(QueryError, match="parse error"):
        verify(promotion, settings_for("eu-1", query="error_rate{"))
    with pytest.raises(QueryError, match="matrix"):
        verify(promotion, settings_for("eu-1", query="error_rate[5m]"))


def ask(promotion: Promotion, at: datetime, **settings: Any) -> GateOutcome:
    form = promotion.pipeline_version.form
    given = {"connection": "metrics", **settings}
    return GATE.evaluate(GateContext(promotion, form, form.stage(promotion.stage), given, at))


def test_the_gate_compares_the_value_of_its_own_time(promotion: Promotion) -> None:
    query = 'max(error_rate{service="{service}",target="us-1"})'
    opened = ask(promotion, NOW, query=query, below=0.005)
    assert opened.verdict is Verdict.OPEN
    bad = ask(promotion, NOW + 2 * EVERY, query=query, below=0.005)
    assert bad.verdict is Verdict.WAITING
    assert "0.2" in bad.reason
    assert ask(promotion, NOW, query="count(error_rate)", equals=3).verdict is Verdict.OPEN
    assert ask(promotion, NOW, query="scalar(vector(4))", above=3).verdict is Verdict.OPEN
    assert ask(promotion, NOW, query="error_rate > 1", above=3).verdict is Verdict.WAITING
    assert "parse error" in ask(promotion, NOW, query="rate(", below=1).reason
