"""Levels and check results for machines."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from metrics.actions.recompute_checks import recompute_checks
from metrics.models import Assessment
from promotion.models import Token
from tests.factories import NOW, make_person
from tests.parts.checked_team import make_checked_team

pytestmark = pytest.mark.django_db
BUILT_ONCE = "process.3.built-once"


@pytest.fixture
def team():
    made = make_checked_team()
    made.do_well()
    assessment = Assessment.objects.create(
        team=made.team, model_id="artifact-promotion", model_version="1.0", cycle="2026-q4",
        state="agreed", started_at=NOW, started_by=made.manager,
    )  # fmt: skip
    assessment.answers.create(
        statement_id=BUILT_ONCE, value="F", answered_by=made.manager, answered_at=NOW
    )
    recompute_checks(NOW - timedelta(days=1), teams=[made.team])
    recompute_checks(NOW, teams=[made.team])
    return made


@pytest.fixture
def reader(call_as):
    return call_as(Token.Scope.READ, user=make_person("luca"))


def test_every_team_is_listed_with_its_levels(team, reader):
    answer = reader.get("/api/v1/maturity").json()

    assert (answer["model"], answer["version"]) == ("artifact-promotion", "1.0")
    (row,) = answer["results"]
    assert row["team"] == "shipping"
    assert row["level"]["day"] == "2026-11-23"
    assert row["level"]["verified"]["overall"] == 1


def test_a_team_tells_each_statement(team, reader):
    answer = reader.get("/api/v1/maturity/shipping").json()

    assert answer["statements"][BUILT_ONCE] == {
        "claimed": "F", "measured": "F", "verified": "F", "counted": "F"
    }  # fmt: skip
    assert reader.get("/api/v1/maturity/shipping?day=2026-11-22").json()["level"]["day"] == (
        "2026-11-22"
    )


def test_the_checks_of_a_team_have_all_that_is_needed_to_check_them(team, reader):
    results = reader.get("/api/v1/maturity/shipping/checks").json()["results"]

    (found,) = [each for each in results if each["statement"] == BUILT_ONCE]
    assert (found["verdict"], found["value"], found["n"]) == ("F", 100.0, 12)
    assert found["thresholds"] == {"P": 50, "L": 90, "F": 99}
    assert found["window"]["days"] == 90
    assert found["coverage"] == {"unit": "services", "have": 1, "of": 1}
    assert found["counterexamples"] == []
    earlier = reader.get("/api/v1/maturity/shipping/checks?day=2026-11-22").json()["results"]
    assert {each["as_of"] for each in earlier} != {each["as_of"] for each in results}


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/maturity/nobody", 404),
        ("/api/v1/maturity/nobody/checks", 404),
        ("/api/v1/maturity/shipping?day=soon", 400),
        ("/api/v1/maturity/shipping?day=2026-02-31", 400),
        ("/api/v1/maturity/shipping/checks?day=2020-01-01", 404),
        ("/api/v1/maturity/shipping?day=2020-01-01", 404),
    ],
)
def test_what_is_not_there_or_cannot_be_read_is_refused(team, reader, address, status):
    assert reader.get(address).status_code == status


def test_nobody_reads_without_a_token_and_nobody_writes(team, reader):
    assert APIClient().get("/api/v1/maturity").status_code == 401
    assert reader.post("/api/v1/maturity", {}).status_code == 405
