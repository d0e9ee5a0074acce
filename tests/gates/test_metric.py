"""The metric gate against a server that speaks Prometheus's query API."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from promotion.exceptions import InputError, UnreachableError
from promotion.gates.base import GateContext, GateOutcome, Verdict
from promotion.gates.known import GATES
from promotion.integrity.outgoing import AddressRefusedError
from promotion.models import Connection
from tests.factories import (
    NOW,
    make_connection,
    make_environments,
    make_promotion,
    make_release,
    make_service,
)
from tests.parts.prometheus import Metrics, run_metrics

pytestmark = pytest.mark.django_db

GATE = GATES["metric"]


@pytest.fixture
def metrics(settings) -> Iterator[Metrics]:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    with run_metrics() as running:
        make_connection("metrics", Connection.Kind.PROMETHEUS, running.address)
        yield running


def ask(query: str = "rate", **settings: Any) -> GateOutcome:
    promotion = make_promotion(make_release(make_service()), make_environments()["production"])
    form = promotion.pipeline_version.form
    given = {"connection": "metrics", "query": query, **settings}
    return GATE.evaluate(GateContext(promotion, form, form.stage(promotion.stage), given, NOW))


@pytest.mark.parametrize(
    ("values", "comparison", "verdict"),
    [
        (["0.004"], {"below": 0.005}, "open"),
        (["0.005"], {"below": 0.005}, "waiting"),
        (["1"], {"above": 0}, "open"),
        (["0", "1"], {"above": 0}, "waiting"),
        (["3"], {"equals": 3}, "open"),
        (["NaN"], {"below": 1}, "waiting"),
        (["+Inf"], {"above": 1}, "open"),
        ([], {"below": 1}, "waiting"),
    ],
)
def test_every_series_must_compare_and_no_data_is_waited_for(
    metrics: Metrics, values: list[str], comparison: dict[str, float], verdict: str
) -> None:
    metrics.values["rate"] = [values]
    assert ask(**comparison).verdict == verdict


def test_the_reason_tells_query_value_and_what_was_asked(metrics: Metrics) -> None:
    metrics.values['rate{service="shipment-api"}'] = [["0.25"]]
    outcome = ask('rate{service="{service}"}', below=0.1)
    assert outcome.reason == 'rate{service="shipment-api"} is 0.25, asked for below 0.1.'
    assert outcome.look_again_in is not None
    assert GATE.is_costly


def test_the_query_is_of_now_and_the_token_is_sent(metrics: Metrics) -> None:
    Connection.objects.update(secret="let-me-in")
    ask(below=1)
    Connection.objects.update(username="us")
    ask(below=1)
    assert metrics.server is not None
    first, second = metrics.server.asked
    assert b"time=1795443600.000" in first.body
    assert first.headers["authorization"] == "Bearer let-me-in"
    basic = base64.b64encode(b"us:let-me-in").decode()
    assert second.headers["authorization"] == f"Basic {basic}"


def test_a_refused_query_is_waited_for_with_what_prometheus_says(metrics: Metrics) -> None:
    outcome = ask("rate[", below=1)
    assert outcome.verdict == Verdict.WAITING
    assert "parse error" in outcome.reason
    assert ask("rate[5m]", below=1).verdict == Verdict.WAITING


def test_a_server_that_is_away_can_be_asked_again(metrics: Metrics) -> None:
    metrics.status = 503
    with pytest.raises(UnreachableError, match="answered 503"):
        ask(below=1)
    Connection.objects.update(address="http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match="did not answer"):
        ask(below=1)


def test_a_connection_of_another_kind_or_address_is_an_error(metrics: Metrics, settings) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = []
    with pytest.raises(AddressRefusedError):
        ask(below=1)
    Connection.objects.update(kind="http")
    with pytest.raises(InputError, match="Prometheus is needed"):
        ask(below=1)


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({"connection": "m", "query": "up", "below": 1}, []),
        ({"connection": "m", "query": "up"}, ["below"]),
        ({"connection": "m", "query": "up", "below": 1, "above": 0}, ["below"]),
        ({"connection": "m", "query": "up", "equals": "1"}, ["equals"]),
        ({"connection": "m", "query": "up", "equals": True}, ["equals"]),
        ({"query": "", "below": 1}, ["connection", "query"]),
        ({"connection": "m", "query": "up", "below": 1, "good": "9 of 10"}, ["good"]),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], keys: list[str]) -> None:
    assert sorted({key for key, _ in GATE.problems_in(settings)}) == keys
