"""Assessments: answered one by one, submitted, agreed by somebody else, and frozen then."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from metrics.maturity.levels import derive_levels
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.values import Answer as Value
from metrics.models import Answer, Assessment
from promotion.models import AuditEntry, Role
from tests.factories import NOW, make_person, make_team

pytestmark = pytest.mark.django_db
CYCLE = "2026-q4"
STATEMENT = "process.3.built-once"


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def team():
    return make_team("shipping")


def sign_in(username: str, *roles: str, team=None) -> Client:
    client = Client()
    client.force_login(make_person(username, *roles, team=team))
    return client


@pytest.fixture
def member(team) -> Client:
    client = sign_in("mei", Role.MEMBER, team=team)
    client.post(reverse("assessment-start", args=["shipping"]))
    return client


def at(name: str, *more: str) -> str:
    return reverse(name, args=["shipping", CYCLE, *more])


def save(client: Client, statement: str = STATEMENT, **given: str):
    given = {"value": "L", **given}
    return client.post(at("assessment-save", statement), given, headers={"HX-Request": "true"})


def test_an_answer_is_kept_and_the_page_says_when(member):
    answer = save(member, comment="Since spring.", evidence_url="https://wiki.example/builds")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Saved 14:20" in page
    assert 'id="standing"' in page
    kept = Answer.objects.get(statement_id=STATEMENT)
    assert (kept.value, kept.comment, kept.answered_by.username) == ("L", "Since spring.", "mei")
    assert AuditEntry.objects.filter(action="assessment.answer").count() == 1


def test_the_levels_on_the_page_are_those_of_the_engine(member):
    model = load_shipped_model()
    claimed = {}
    for statement in model.get_statements("process"):
        value = Value.NO_LONGER if statement.is_symptom else Value.FULLY
        claimed[statement.id] = value
        save(member, statement.id, value=value.value)
    expected = derive_levels(model, claimed, {}, ())

    standing = member.get(at("assessment-detail")).context["standing"]

    shown = {each["id"]: (each["claimed"], each["verified"]) for each in standing["categories"]}
    assert shown == {
        category: (expected.claimed.categories[category], expected.verified.categories[category])
        for category in expected.claimed.categories
    }
    assert shown["process"][0] == 5
    assert (standing["claimed"], standing["verified"]) == (1, 1)


@pytest.mark.parametrize(
    ("statement", "given", "says"),
    [
        (STATEMENT, {"value": "no"}, "is answered by one of"),
        (STATEMENT, {"value": "na", "reason": "none"}, "always applies"),
        ("people.4.learn-from-failures", {"value": "na"}, "Say why"),
        ("people.9.nothing", {"value": "L"}, "is no statement"),
        (STATEMENT, {"value": "best"}, "no answer that can be given"),
        (STATEMENT, {"value": "L", "evidence_url": "javascript:alert(1)"}, "Evidence is a link"),
    ],
)
def test_what_cannot_be_an_answer_is_refused_in_a_sentence(member, statement, given, says):
    answer = save(member, statement, **given)

    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Answer.objects.exists()


def test_a_reader_sees_the_answers_and_changes_none(member, team):
    reader = sign_in("rasmus", Role.VIEWER, team=team)
    page = reader.get(at("assessment-detail")).content.decode()

    assert "You may read this assessment." in page
    assert "<fieldset disabled" in page
    assert "answering it takes a member" in save(reader).content.decode()
    assert reader.post(at("assessment-submit")).status_code == 403
    assert reader.post(reverse("assessment-start", args=["shipping"])).status_code == 403
    assert not Answer.objects.exists()


def test_nothing_changes_by_get(member):
    for name in ("submit", "return", "agree"):
        assert member.get(at(f"assessment-{name}")).status_code == 405
    assert member.get(at("assessment-save", STATEMENT)).status_code == 405


def test_who_submitted_does_not_agree_and_another_freezes_the_result(member, team):
    save(member)
    member.post(at("assessment-submit"))

    assert member.post(at("assessment-agree")).status_code == 403
    assert save(member, value="F").status_code == 409
    other = sign_in("daniel", Role.MEMBER, team=team)
    assert other.post(at("assessment-agree")).status_code == 302

    agreed = Assessment.objects.get()
    frozen = json.dumps(agreed.result)
    assert (agreed.state, agreed.agreed_by.username) == ("agreed", "daniel")
    assert agreed.result["statements"][STATEMENT]["claimed"] == "L"
    Answer.objects.update(value="N")
    assert other.post(at("assessment-accept", STATEMENT)).status_code == 409
    assert save(member).status_code == 409
    page = member.get(at("assessment-detail"))
    assert page.context["standing"]["is_frozen"]
    assert json.dumps(Assessment.objects.get().result) == frozen


def test_a_release_manager_may_agree_what_they_submitted(team):
    manager = sign_in("ines", Role.RELEASE_MANAGER, team=team)
    manager.post(reverse("assessment-start", args=["shipping"]))
    save(manager)
    manager.post(at("assessment-submit"))

    assert manager.post(at("assessment-agree")).status_code == 302
    assert Assessment.objects.get().state == "agreed"


def test_the_next_agreed_one_supersedes(team):
    for months in (0, 3):
        with time_machine.travel(NOW + timedelta(days=31 * months), tick=False):
            manager = sign_in("ines", Role.RELEASE_MANAGER, team=team)
            found = manager.post(reverse("assessment-start", args=["shipping"])).url
            manager.post(f"{found}{STATEMENT}/", {"value": "P"})
            manager.post(f"{found}submit/")
            manager.post(f"{found}agree/")

    assert list(Assessment.objects.order_by("cycle").values_list("cycle", "state")) == [
        ("2026-q4", "superseded"),
        ("2027-q1", "agreed"),
    ]


def test_evidence_counts_once_somebody_else_accepted_it_and_until_it_runs_out(member, team):
    save(member, evidence_url="https://wiki.example/builds")
    assert member.post(at("assessment-accept", STATEMENT)).status_code == 403

    def verified() -> int:
        standing = member.get(at("assessment-detail")).context["standing"]
        return standing["confidence"]["have"]

    for statement in ("process.1.no-process", "process.1.artifacts-differ"):
        save(member, statement, value="no", evidence_url="https://wiki.example/path")
    other = sign_in("daniel", Role.MEMBER, team=team)
    before = verified()
    assert other.post(at("assessment-accept", "process.1.no-process")).status_code == 302
    assert verified() == before + 1

    with time_machine.travel(NOW + timedelta(days=181), tick=False):
        member.force_login(make_person("mei"))  # the session has ended by then
        assert verified() == before


def test_other_evidence_asks_for_acceptance_anew(member, team):
    save(member, evidence_url="https://wiki.example/builds")
    sign_in("daniel", Role.MEMBER, team=team).post(at("assessment-accept", STATEMENT))
    assert Answer.objects.get().evidence_accepted_by.username == "daniel"

    save(member, evidence_url="https://wiki.example/other")

    assert Answer.objects.get().evidence_accepted_by is None


def test_not_applicable_counts_as_unanswered_until_somebody_else_agrees(member, team):
    statement = "people.4.learn-from-failures"
    save(member, statement, value="na", reason="No failures in a year.")
    assert member.post(at("assessment-not-applicable", statement)).status_code == 403
    other = sign_in("daniel", Role.MEMBER, team=team)

    assert other.post(at("assessment-not-applicable", statement)).status_code == 302

    kept = Answer.objects.get()
    assert kept.is_agreed_not_applicable(NOW + timedelta(days=179))
    assert not kept.is_agreed_not_applicable(NOW + timedelta(days=180))


def test_a_draft_without_answers_is_not_submitted(member):
    assert member.post(at("assessment-submit")).status_code == 400
    assert Assessment.objects.get().state == "draft"


def test_the_list_shows_every_team_with_its_state(member):
    make_team("billing")
    page = member.get(reverse("assessment-list")).content.decode()

    assert "0 of 2 teams agreed their assessment of Q4 2026; 1 is at it." in page
    assert page.count("Begin<") == 0  # mei is no member of billing, and shipping has begun
    assert reverse("assessment-detail", args=["shipping", CYCLE]) in page


def test_addresses_of_nothing_are_not_found(member):
    assert member.get(at("assessment-detail"), {"category": "luck"}).status_code == 404
    assert member.get(reverse("assessment-detail", args=["shipping", "2020-q1"])).status_code == 404
    assert member.get(reverse("assessment-detail", args=["nobody", CYCLE])).status_code == 404


def test_the_page_takes_as_many_queries_with_all_answers_as_with_one(
    member, django_assert_max_num_queries
):
    for statement in load_shipped_model().statements:
        save(member, statement.id, value=statement.scale[-1].value)

    with django_assert_max_num_queries(20):
        member.get(at("assessment-detail"))
