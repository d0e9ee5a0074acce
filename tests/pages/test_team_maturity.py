"""What was measured, beside the answers and on the page of a team: value, links, changes, disputes."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from metrics.actions.recompute_checks import recompute_checks
from metrics.models import Assessment, CheckDispute, CheckResult, TeamLevel
from promotion.formats import NO_BREAK
from promotion.models import Role
from tests.factories import NOW, digest_of, make_artifact, make_person, make_release
from tests.parts.checked_team import make_checked_team

pytestmark = pytest.mark.django_db
ONE_DIGEST = "process.3.no-manual-rebuilds"
CYCLE = "2026-q4"


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def team():
    made = make_checked_team()
    made.do_well()
    first = made.releases[0]
    again = make_artifact(made.service, first.version, digest=digest_of("again"))
    make_release(made.service, first.version, artifacts=[again], at=first.created_at)
    recompute_checks(NOW - timedelta(hours=1), teams=[made.team])
    return made


def sign_in(username: str, *roles: str, team=None) -> Client:
    client = Client()
    client.force_login(make_person(username, *roles, team=team))
    return client


@pytest.fixture
def member(team) -> Client:
    client = sign_in("mei", Role.MEMBER, team=team.team)
    client.post(reverse("assessment-start", args=["shipping"]))
    return client


def at(name: str, *more: str) -> str:
    return reverse(name, args=["shipping", CYCLE, *more])


def save(client: Client, statement: str, value: str) -> str:
    answer = client.post(
        at("assessment-save", statement), {"value": value}, headers={"HX-Request": "true"}
    )
    return answer.content.decode().replace(NO_BREAK, " ")


def read(client: Client, address: str) -> str:
    return client.get(address).content.decode().replace(NO_BREAK, " ")


def agree(team, member: Client) -> Assessment:
    member.post(at("assessment-submit"))
    other = sign_in("daniel", Role.MEMBER, team=team.team)
    assert other.post(at("assessment-agree")).status_code == 302
    return Assessment.objects.get()


def test_what_was_measured_appears_once_the_statement_is_answered(member):
    address = f"{at('assessment-detail')}?category=process"
    assert "11 of 12 versions" not in read(member, address)

    saved = save(member, ONE_DIGEST, "F")

    for page in (saved, read(member, address)):
        assert "11 of 12 versions, 92 %" in page
        assert "contradicted" in page
        assert "Partly from 50 %, Largely from 90 %, Fully from 99 %" in page
        assert '<a href="/releases/shipping-api/1.0.0/">shipping-api 1.0.0 was rebuilt</a>' in page
        assert "1 of 1 services" in page


def test_a_claim_below_the_measurement_is_called_undersold(member):
    assert "You may be underselling this." in save(member, "process.3.built-once", "P")


def test_too_little_data_is_said_as_such(member):
    page = save(member, "people.4.learn-from-failures", "L")

    assert "insufficient data" in page
    assert "None of 12 promotions failed" in page


def test_agreeing_freezes_what_was_measured(team, member):
    save(member, ONE_DIGEST, "F")

    result = agree(team, member).result

    assert result["statements"][ONE_DIGEST]["measured"] == "L"
    assert result["statements"][ONE_DIGEST]["verified"] == "L"
    assert result["contradicted"] == [ONE_DIGEST]
    frozen = result["checks"][ONE_DIGEST]
    assert (frozen["window"]["days"], frozen["n"], result["version"]) == (90, 12, "1.0")
    CheckResult.objects.all().delete()
    page = read(member, f"{at('assessment-detail')}?category=process")
    assert "11 of 12 versions, 92 %" in page


def test_the_page_of_a_team_says_level_reason_and_way_up(team, member):
    save(member, ONE_DIGEST, "F")
    agree(team, member)

    page = read(member, reverse("maturity-team", args=["shipping"]))

    assert "Level 1 Initial is verified, level 1 claimed." in page
    assert "1 claim is contradicted by the facts." in page
    assert "Binds the overall level" in page
    assert "Why level 1" in page
    assert "11 of 12 versions, 92 %" in page
    assert "Not measured yet" not in page


def test_the_page_of_a_team_tells_what_changed(team, member):
    save(member, ONE_DIGEST, "F")
    agree(team, member)
    TeamLevel.objects.update(
        changes=[
            {
                "category": "process", "before": 3, "after": 2,
                "sentence": "Process fell to 2: `shipping-api 1.0.0` was rebuilt.",
            }
        ]
    )  # fmt: skip

    page = read(member, reverse("maturity-team", args=["shipping"]))

    assert "Process fell to 2: shipping-api 1.0.0 was rebuilt." in page


def test_without_an_agreed_assessment_the_page_shows_the_checks_alone(team, member):
    page = read(member, reverse("maturity-team", args=["shipping"]))

    assert "Nothing is agreed yet" in page
    assert "11 of 12 versions, 92 %" in page


def test_a_team_that_was_never_measured_says_so(team):
    CheckResult.objects.all().delete()
    page = read(sign_in("vera", Role.VIEWER), reverse("maturity-team", args=["shipping"]))

    assert "was not measured yet" in page
    assert sign_in("vera").get(reverse("maturity-team", args=["nobody"])).status_code == 404


def test_a_dispute_goes_from_one_person_to_another(team, member):
    page = reverse("maturity-team", args=["shipping"])
    asked = {
        "statement_id": ONE_DIGEST,
        "counterexample": "version-shipping-api-1.0.0",
        "reason": "A drill.",
    }
    assert member.post(reverse("check-dispute", args=["shipping"]), asked).status_code == 302
    dispute = CheckDispute.objects.get()
    decide = reverse("dispute-decide", args=[dispute.pk])
    assert "You opened it; somebody else decides." in read(member, page)
    yes = {"decision": "accept", "outcome": "It was one."}
    assert member.post(decide, yes).status_code == 403

    other = sign_in("daniel", Role.MEMBER, team=team.team)
    assert other.post(decide, yes).status_code == 302

    dispute.refresh_from_db()
    assert (dispute.state, dispute.decided_by.username) == ("accepted", "daniel")
    recompute_checks(NOW, teams=[team.team])
    assert "excused" in read(member, page)
    assert other.post(decide, yes).status_code == 409


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"statement_id": ONE_DIGEST, "reason": ""}, 400),
        ({"statement_id": "x" * 200, "reason": "Why?"}, 400),
        ({"statement_id": ONE_DIGEST, "reason": "Why?", "counterexample": "none"}, 400),
    ],
)
def test_what_cannot_be_disputed_is_refused_in_a_sentence(member, given, status):
    answer = member.post(reverse("check-dispute", args=["shipping"]), given)

    assert answer.status_code == status
    assert "Nothing was changed." in answer.content.decode()


def test_a_reader_disputes_nothing_and_has_nothing_measured(team):
    reader = sign_in("vera", Role.VIEWER, team=team.team)

    assert "Open the dispute" not in read(reader, reverse("maturity-team", args=["shipping"]))
    given = {"statement_id": ONE_DIGEST, "reason": "Why?"}
    assert reader.post(reverse("check-dispute", args=["shipping"]), given).status_code == 403
    assert reader.post(reverse("team-measure", args=["shipping"])).status_code == 403


def test_nothing_changes_by_get(member):
    for name in ("check-dispute", "team-measure"):
        assert member.get(reverse(name, args=["shipping"])).status_code == 405
    assert member.get(reverse("dispute-decide", args=[1])).status_code == 405


def test_the_page_costs_the_same_queries_however_much_there_is(team, member):
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            member.get(reverse("maturity-team", args=["shipping"]))
        return len(captured)

    save(member, ONE_DIGEST, "F")
    agree(team, member)
    dispute = {"statement_id": ONE_DIGEST, "reason": "Why?"}
    member.post(reverse("check-dispute", args=["shipping"]), dispute)
    before = count()
    for number in range(5):
        CheckDispute.objects.create(
            team=team.team, model_id="artifact-promotion", statement_id=f"process.{number}",
            what="It", reason="Why", opened_by=team.manager, opened_at=NOW,
        )  # fmt: skip

    assert count() == before
