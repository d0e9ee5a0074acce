"""The leadership's page of maturity, what teams share, and what goes out."""

import csv
import io
import json
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from metrics.actions.recompute_checks import recompute_checks
from metrics.actions.share import change_sharing
from metrics.maturity.packs import open_pack, recompute_pack
from metrics.models import Assessment, EvidenceFile, Share, TeamLevel
from promotion.formats import NO_BREAK
from promotion.models import AuditEntry, Role
from tests.factories import NOW, make_person, make_team
from tests.parts.checked_team import make_checked_team

pytestmark = pytest.mark.django_db
ONE_DIGEST, BUILT_ONCE = "process.3.no-manual-rebuilds", "process.3.built-once"
TRACED = "measurement.3.traceability"
CYCLE = "2026-q4"
ADDRESS = "/api/v1/maturity"


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def team():
    made = make_checked_team()
    made.do_well()
    return made


def sign_in(username: str, *roles: str, team=None) -> Client:
    client = Client()
    client.force_login(make_person(username, *roles, team=team))
    return client


def read(client: Client, address: str) -> str:
    return client.get(address).content.decode().replace(NO_BREAK, " ")


def at(name: str, *more: str) -> str:
    return reverse(name, args=["shipping", CYCLE, *more])


@pytest.fixture
def member(team) -> Client:
    return sign_in("mei", Role.MEMBER, team=team.team)


@pytest.fixture
def agreed(team, member) -> Assessment:
    """Built once is claimed lower, traceability higher than measured; with a comment and a link."""
    member.post(reverse("assessment-start", args=["shipping"]))
    save = {"comment": "=1+1 our secret", "evidence_url": "https://wiki.example/secret"}
    member.post(at("assessment-save", BUILT_ONCE), {"value": "P", **save})
    member.post(at("assessment-save", TRACED), {"value": "F"})
    member.post(at("assessment-submit"))
    other = sign_in("daniel", Role.MEMBER, team=team.team)
    assert other.post(at("assessment-agree")).status_code == 302
    return Assessment.objects.select_related("team").get()


@pytest.fixture
def leader(db) -> Client:
    return sign_in("carla", Role.VIEWER)


def share(assessment: Assessment, much: Share) -> None:
    change_sharing(assessment.team, much, person=make_person("mei"), at=NOW)


def add_team(slug: str, *, verified: int, claimed: int, agreed_at=NOW) -> None:
    """A team with a kept level, all of its categories at the same one."""
    person = make_person("mei")
    model = TeamLevel.objects.first()
    categories = dict.fromkeys(model.result["claimed"]["categories"])
    assessment = Assessment.objects.create(
        team=make_team(slug), model_id="artifact-promotion", model_version="1.0", cycle=CYCLE,
        state="agreed", started_at=NOW, started_by=person, agreed_at=agreed_at, agreed_by=person,
    )  # fmt: skip
    result = {
        **model.result,
        "claimed": {"categories": dict.fromkeys(categories, claimed), "overall": claimed, "why": {}},
        "verified": {
            "categories": dict.fromkeys(categories, verified), "overall": verified, "why": {},
        },
        "binding": [],
    }  # fmt: skip
    TeamLevel.objects.create(
        team=assessment.team, model_id="artifact-promotion", model_version="1.0", day=NOW.date(),
        as_of=NOW, assessment=assessment, claimed=claimed, verified=verified, result=result,
    )  # fmt: skip


def test_the_page_shows_claimed_and_verified_in_one_cell_by_name(agreed, leader):
    add_team("billing", verified=2, claimed=4)
    page = read(leader, reverse("maturity"))

    assert page.index(">Billing</a>") < page.index(">Shipping</a>")
    assert 'data-level="2" data-gap="2"' in page
    assert "claimed 4" in page
    assert "1 of 2 assessed teams has its claimed level verified." in page
    assert "average" not in page
    assert "rank" not in page.lower().split("<main")[1]


def test_what_many_teams_are_contradicted_in_and_held_up_by_is_counted(agreed, leader):
    TeamLevel.objects.update(result={**TeamLevel.objects.get().result, "contradicted": [TRACED]})
    add_team("billing", verified=2, claimed=4)
    answer = leader.get(reverse("maturity-json")).json()

    assert answer["contradictions"] == [{"statement": TRACED, "teams": ["Billing", "Shipping"]}]
    assert answer["blockers"][0]["teams"] == ["Billing", "Shipping"]


def test_calibration_compares_claims_with_facts(agreed, leader):
    answer = leader.get(reverse("maturity-json")).json()

    found = answer["calibration"]
    assert found["of"] == 2
    assert found["claimed_lower"] == 1
    assert answer["months"][-1]["calibration"] == found
    assert sum(answer["months"][-1]["verified"]) == 1


def test_production_promotions_go_by_the_level_of_the_team_that_made_them(agreed, leader):
    assert leader.get(reverse("maturity-json")).json()["production_promotions"] == {
        "by_teams_verified_at_3_or_above": 0, "of": 12, "share": 0.0,
    }  # fmt: skip
    result = TeamLevel.objects.get().result
    result["verified"]["overall"] = 3
    TeamLevel.objects.update(verified=3, result=result)

    assert "12 of 12 promotions to production" in read(leader, reverse("maturity"))


def test_an_assessment_of_long_ago_is_called_stale(agreed, leader):
    assert ">stale<" not in read(leader, reverse("maturity"))
    Assessment.objects.update(agreed_at=NOW - timedelta(days=121))

    assert leader.get(reverse("maturity-json")).json()["teams"][0]["stale"] is True
    assert "stale" in read(leader, reverse("maturity"))


def test_without_teams_and_without_levels_the_page_says_so(leader):
    assert "There is no team yet." in read(leader, reverse("maturity"))
    make_team("billing")

    page = read(leader, reverse("maturity"))

    assert "None of 1 teams has agreed an assessment yet." in page
    assert "No promotion to production succeeded" in page
    assert "Teams per verified level" not in page


@pytest.mark.parametrize("cycle", ["soon", "2026-q5", "0000-q1", "9999-q4", "2026-q4\x00"])
def test_a_quarter_that_cannot_be_is_not_there(agreed, leader, cycle):
    assert leader.get(reverse("maturity"), {"cycle": cycle}).status_code == 404


def test_an_earlier_quarter_shows_what_stood_then(agreed, leader):
    answer = leader.get(reverse("maturity-json"), {"cycle": "2026-q3"}).json()

    assert [row["level"] for row in answer["teams"]] == [None]


def test_the_heatmap_goes_out_as_csv_with_model_and_time(agreed, leader):
    rows = list(csv.DictReader(io.StringIO(leader.get(reverse("maturity-csv")).content.decode())))

    assert {row["category"] for row in rows} == {
        "people", "process", "technology", "measurement", "overall",
    }  # fmt: skip
    assert {(row["model"], row["version"]) for row in rows} == {("artifact-promotion", "1.0")}
    assert {row["as_of"] for row in rows} == {NOW.isoformat()}


def test_an_assessment_goes_out_as_csv_json_and_pack(agreed, leader):
    answer = leader.get(at("assessment-csv"))
    rows = {row["statement"]: row for row in csv.DictReader(io.StringIO(answer.content.decode()))}
    written = leader.get(at("assessment-json")).json()
    pack = leader.get(at("assessment-pack"))

    assert rows[BUILT_ONCE]["comment"] == "'=1+1 our secret"
    assert (rows[BUILT_ONCE]["claimed"], rows[BUILT_ONCE]["measured"]) == ("P", "F")
    assert written["verified"]["overall"] == agreed.result["verified"]["overall"]
    assert len(written["claims"]) == len(rows)
    assert "attachment" in pack["Content-Disposition"]
    lines = list(recompute_pack(open_pack(pack.content), pack["X-Throughline-Manifest"]))
    assert all(line.agrees is not False for line in lines)


def test_a_draft_does_not_go_out(team, member):
    member.post(reverse("assessment-start", args=["shipping"]))
    for name in ("assessment-csv", "assessment-json", "assessment-pack"):
        answer = member.get(at(name))
        assert answer.status_code == 409
        assert "It goes out once it is agreed" in answer.content.decode()
        assert member.get(reverse(name, args=["shipping", "1999-q1"])).status_code == 404


def hidden_from(client: Client) -> list[str]:
    """Whatever of a team names an answer, a comment, a link or a fact, over all its pages."""
    pages = [
        reverse("maturity"), reverse("maturity-json"), reverse("maturity-csv"),
        reverse("maturity-team", args=["shipping"]), at("assessment-detail"),
        at("assessment-json"), at("assessment-csv"), ADDRESS, f"{ADDRESS}/shipping",
        f"{ADDRESS}/shipping/checks", f"{ADDRESS}/shipping/assessments/{CYCLE}",
    ]  # fmt: skip
    return [client.get(each, follow=True).content.decode() for each in pages]


def test_of_a_team_that_shares_levels_only_nothing_else_is_seen(agreed, leader):
    share(agreed, Share.LEVELS)

    pages = hidden_from(leader)

    for page in pages:
        assert "our secret" not in page
        assert "wiki.example" not in page
        assert BUILT_ONCE not in page
        assert "promoted bytes" not in page
    assert "The team shares its levels only." in pages[3]
    assert leader.get(f"{ADDRESS}/shipping").json()["level"]["verified"]["overall"] == 1
    assert leader.get(reverse("maturity-json")).json()["calibration"]["of"] == 0


def test_of_a_team_that_shares_answers_no_evidence_is_seen(agreed, leader):
    share(agreed, Share.ANSWERS)

    pages = hidden_from(leader)

    assert not any("wiki.example" in page for page in pages)
    assert any("our secret" in page for page in pages)
    assert leader.get(f"{ADDRESS}/shipping").json()["statements"][BUILT_ONCE]["claimed"] == "P"
    claims = leader.get(at("assessment-json")).json()["claims"]
    assert all(claim["evidence"] is None for claim in claims)
    assert all("counterexamples" not in (claim["check"] or {}) for claim in claims)


@pytest.mark.parametrize("much", [Share.LEVELS, Share.ANSWERS])
def test_pages_of_evidence_are_refused_with_whom_to_ask(agreed, leader, much):
    share(agreed, much)
    file = EvidenceFile.objects.create(
        team=agreed.team, sha256="0" * 64, name="a.txt", size=1, body=b"a",
        given_by=make_person("mei"), given_at=NOW,
    )  # fmt: skip
    addresses = [
        at("assessment-pack"), at("assessment-what-if"), at("assessment-difference"),
        at("assessment-services"), at("assessment-evidence", BUILT_ONCE),
        reverse("team-actions", args=["shipping"]), reverse("evidence-file", args=[file.pk]),
        f"{ADDRESS}/shipping/checks", f"{ADDRESS}/shipping/assessments/{CYCLE}/pack",
    ]  # fmt: skip
    for address in addresses:
        answer = leader.get(address)
        assert answer.status_code == 403, address
        assert "Ask a member or release manager" in answer.content.decode(), address


def test_members_and_auditors_see_all_whatever_is_shared(agreed, member):
    share(agreed, Share.LEVELS)
    auditor = sign_in("henrik", Role.AUDITOR)

    for client in (member, auditor):
        assert client.get(at("assessment-pack")).status_code == 200
        assert client.get(at("assessment-detail")).status_code == 200
        assert "our secret" in read(client, at("assessment-json"))


def test_a_member_of_another_team_is_outside(agreed):
    share(agreed, Share.LEVELS)
    other = sign_in("tomasz", Role.MEMBER, team=make_team("billing"))

    assert other.get(at("assessment-pack")).status_code == 403


def test_a_team_chooses_what_it_shares_and_it_is_on_record(agreed, member, leader):
    choose = reverse("team-sharing", args=["shipping"])
    page = reverse("maturity-team", args=["shipping"])
    assert "Share this much" in read(member, page)
    assert "Share this much" not in read(leader, page)

    assert member.post(choose, {"shares": "1"}).status_code == 302

    entry = AuditEntry.objects.get(action="maturity.share")
    assert json.loads(entry.payload)["details"] == {"before": "evidence", "after": "levels"}
    assert leader.post(choose, {"shares": "3"}).status_code == 403
    for wrong in ("", "0", "9", "x", "٣"):
        assert member.post(choose, {"shares": wrong}).status_code == 400
    assert member.get(choose).status_code == 405
    assert member.post(reverse("team-sharing", args=["nobody"])).status_code == 404


def test_the_page_costs_the_same_queries_however_many_teams_there_are(agreed, leader):
    def count(name: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            leader.get(reverse(name))
        return len(captured)

    before = {name: count(name) for name in ("maturity", "maturity-json", "maturity-csv")}
    for number in range(5):
        add_team(f"team-{number}", verified=3, claimed=3)

    assert {name: count(name) for name in before} == before


def test_the_api_tells_assessments_and_packs(agreed, leader):
    (row,) = leader.get(f"{ADDRESS}/shipping/assessments").json()["results"]
    assert (row["cycle"], row["state"]) == (CYCLE, "agreed")
    pack = leader.get(f"{ADDRESS}/shipping/assessments/{CYCLE}/pack")
    assert pack["X-Throughline-Manifest"].startswith("sha256:")
    assert pack.content == leader.get(at("assessment-pack")).content
    for missing in ("nobody/assessments", "shipping/assessments/1999-q1", "nobody/assessments/x"):
        assert leader.get(f"{ADDRESS}/{missing}").status_code == 404
    assert leader.get(ADDRESS, {"cycle": "soon"}).status_code == 400
    assert leader.get(ADDRESS, {"cycle": CYCLE}).json()["results"][0]["team"] == "shipping"


def test_levels_are_those_of_the_newest_measurement(agreed, leader):
    recompute_checks(NOW, teams=[agreed.team])

    assert leader.get(reverse("maturity-json")).json()["teams"][0]["level"]["day"] == "2026-11-23"
