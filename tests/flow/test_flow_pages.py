"""The page of flow, its rows, its CSV and its JSON: the same figures, with why there are none."""

import csv
import io

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from metrics.actions.refresh_facts import refresh_stale
from promotion.models import GateResult, Role, Token
from tests.factories import (
    NOW,
    make_environments,
    make_person,
    make_promotion,
    make_release,
    make_token,
)

from .flow_story import DAY, deliver

pytestmark = pytest.mark.django_db
LATER = NOW + 20 * DAY


@pytest.fixture(autouse=True)
def later():
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_person("tomasz", Role.RELEASE_MANAGER))
    return client


def show(client: Client, query: str = ""):
    page = client.get(reverse("flow") + query)
    assert page.status_code == 200
    return page


def test_the_page_tells_where_time_went_and_what_each_rule_cost_and_caught(client):
    deliver()
    refresh_stale(LATER)

    page = show(client)

    parts = page.context["parts"]
    assert parts.n == 6
    assert parts.means == {
        "people": 7200,
        "windows": 3000,
        "gates": 0,
        "turn": 0,
        "untold": 0,
        "running": 1500,
    }
    costs = [
        (cost["name"], cost["held"], cost["alone"], cost["caught"])
        for cost in page.context["costs"]
    ]
    assert costs[0][1:] == ("15\u00a0h", "5\u00a0h", "none")
    assert costs[1] == ("Approval: release managers", "12\u00a0h", "2\u00a0h", "1 rejected")
    assert page.context["lead_cells"] == [
        ("p50", "3\u00a0h\u00a030\u00a0min"),
        ("p75", "too few"),
        ("p90", "too few"),
    ]
    assert page.context["hands"] == {
        "n": 5,
        "steps": "0.2",
        "offs": "1.2",
        "with_manual": "20\u00a0%",
    }


def test_controls_and_strategies_are_counted_over_what_started(client):
    deliver()
    refresh_stale(LATER)

    page = show(client)

    worst = page.context["controls"][0]
    assert (worst["of"], worst["missed"]) == ("4 of 5", 1)
    assert [(one["strategy"], one["of"]) for one in page.context["outcomes"]] == [
        ("all-at-once", "5 of 5")
    ]


def test_throughput_has_a_bar_for_weeks_without_anything(client):
    deliver()
    refresh_stale(LATER)

    chart = next(chart for chart in show(client).context["charts"] if chart.slug == "throughput")

    bars = chart.figure["data"][0]["y"]
    assert sum(bars) == 5
    assert 0 in bars


def test_checksum_and_signature_coverage_has_gaps_where_none_was_needed(client):
    made = deliver()
    GateResult.objects.filter(promotion__in=made[:2], gate="lock").update(gate="checksum")
    refresh_stale(LATER)

    chart = next(chart for chart in show(client).context["charts"] if chart.slug == "coverage")

    checksum, signature = chart.figure["data"]
    assert [value for value in checksum["y"] if value is not None] == [40]
    assert set(signature["y"]) == {None}
    assert "checksum 2 of 5, signature 0 of 0" in chart.sentence


def test_what_is_open_is_shown_with_its_age(client):
    service = deliver()[0].service
    release = make_release(service, "2.0.0", at=NOW)
    make_promotion(release, make_environments()["production"], at=LATER - 2 * DAY)
    refresh_stale(LATER)

    page = show(client)

    assert page.context["work"].by_age == (0, 0, 1, 0, 0, 0)
    assert [age for _, age in page.context["work_oldest"]] == ["2\u00a0d"]
    assert page.context["work"].builds_by_age[-1] == 0


def test_an_environment_that_lags_is_named(client):
    deliver()
    refresh_stale(LATER)

    lags = show(client).context["lags"]

    assert [(lag.service, lag.version, lag.ahead) for lag in lags] == [
        ("shipment-api", "1.4.0", "1.5.0")
    ]
    assert lags[0].behind == 15 * DAY


def test_an_earlier_as_of_knows_only_what_had_ended(client):
    deliver()
    refresh_stale(LATER)

    page = show(client, "?as_of=2026-11-25T12:00:00Z")

    assert page.context["parts"].n == 2
    assert not page.context["is_now"]


def test_filters_narrow_and_an_empty_page_says_why(client):
    deliver()
    deliver("pricing-api", team="pricing", count=3)
    refresh_stale(LATER)

    assert show(client, "?team=pricing").context["parts"].n == 3
    assert "fits the filter" in show(client, "?kind=hotfix").context["empty"]
    assert "fits the filter" in show(client, "?environment=dev").context["empty"]


def test_without_any_promotion_nothing_is_counted_as_zero(client):
    make_environments()
    page = show(client)
    assert page.context["empty"] == "No promotion has ended yet. Flow is counted once one has."
    assert page.context["charts"] == []


def test_rows_keep_what_a_rule_held_and_the_csv_has_all(client):
    deliver()
    refresh_stale(LATER)

    rows = client.get(reverse("flow-rows") + "?gate=window")
    assert rows.context["page"].paginator.count == 5
    text = b"".join(client.get(reverse("flow-csv")).streaming_content).decode()
    found = list(csv.DictReader(io.StringIO(text)))
    assert len(found) == 6
    assert {row["people_seconds"] for row in found} == {"7200.000"}


@pytest.mark.parametrize("name", ["flow", "flow-rows", "flow-csv"])
def test_bad_addresses_never_break(client, name):
    make_environments()
    query = "?from=x&team=%00&gate=%00&rule=%FF&page=z&services=-1&as_of=never"
    assert client.get(reverse(name) + query).status_code == 200


def test_the_queries_of_the_page_do_not_grow(client, django_assert_max_num_queries):
    deliver()
    deliver("pricing-api", team="pricing", count=20)
    refresh_stale(LATER)
    show(client)
    with django_assert_max_num_queries(45) as few:
        show(client)
    deliver("billing-api", team="billing", count=3)
    deliver("label-api", team="billing", count=3)
    refresh_stale(LATER)
    with django_assert_max_num_queries(len(few)):
        show(client)


def test_the_json_has_the_same_figures():
    deliver()
    refresh_stale(LATER)
    _, secret = make_token(Token.Scope.READ)

    answer = Client().get("/api/v1/flow", headers={"authorization": f"Bearer {secret}"})

    assert answer.status_code == 200
    told = answer.json()
    assert (told["n"], told["mean_parts"]["people"]) == (6, 7200)
    assert {gate["gate"]: gate["caught"] for gate in told["gates"]} == {"approval": 1, "window": 0}
    assert told["lead_time"] == {"n": 5, "p50": 12600.0, "p75": None, "p90": None}
    assert told["by_hand"]["hand_offs"] == 6


def test_the_json_refuses_what_it_cannot_use():
    _, secret = make_token(Token.Scope.READ)
    answer = Client().get("/api/v1/flow?team=none", headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 400
