"""A team answers: alone first, then together; from last answers and those of other teams."""

import hashlib
from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from metrics.maturity.loading import load_shipped_model
from metrics.models import Answer, Assessment, EvidenceFile, Improvement, OwnAnswer
from promotion.models import AuditEntry, Role
from tests.factories import NOW, make_person, make_service, make_team

pytestmark = pytest.mark.django_db
CYCLE, LATER = "2026-q4", "2027-q1"
STATEMENT = "process.3.built-once"
OTHER = "people.4.learn-from-failures"


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
def mei(team) -> Client:
    return sign_in("mei", Role.MEMBER, team=team)


@pytest.fixture
def daniel(team) -> Client:
    return sign_in("daniel", Role.MEMBER, team=team)


@pytest.fixture
def tomasz(team) -> Client:
    return sign_in("tomasz", Role.MEMBER, team=team)


def at(name: str, *more: str, team: str = "shipping", cycle: str = CYCLE) -> str:
    return reverse(name, args=[team, cycle, *more])


def begin(client: Client, team: str = "shipping") -> None:
    client.post(reverse("assessment-start", args=[team]))


def save(client: Client, statement: str = STATEMENT, value: str = "L", **given: str):
    place = {key: given.pop(key) for key in ("team", "cycle") if key in given}
    address = at("assessment-save", statement, **place)
    return client.post(address, {"value": value, **given}, headers={"HX-Request": "true"})


def read(client: Client, category: str = "process", **place: str) -> str:
    return client.get(at("assessment-detail", **place), {"category": category}).content.decode()


def agree_all(username: str, team, value_of=None, cycle: str = CYCLE) -> None:
    """A release manager answers, submits and agrees."""
    manager = sign_in(username, Role.RELEASE_MANAGER, team=team)
    begin(manager, team.slug)
    for statement in load_shipped_model().statements:
        value = (value_of or {}).get(statement.id, statement.scale[-1].value)
        assert save(manager, statement.id, value, team=team.slug, cycle=cycle).status_code == 200
    manager.post(at("assessment-submit", team=team.slug, cycle=cycle))
    manager.post(at("assessment-agree", team=team.slug, cycle=cycle))
    assert Assessment.objects.get(team=team, cycle=cycle).state == "agreed"


def test_what_others_say_is_hidden_until_one_has_handed_in(mei, daniel, tomasz):
    begin(mei)
    assert mei.post(at("assessment-alone")).status_code == 302
    assert save(mei, value="F", comment="Seen in all of ours").status_code == 200
    assert save(daniel, value="N", comment="Not in the schemas").status_code == 200
    mei.post(at("assessment-hand-in"))
    daniel.post(at("assessment-hand-in"))

    assert "Not in the schemas" in read(mei)
    for client in (tomasz, sign_in("ruth", Role.AUDITOR)):
        page = read(client)
        assert "Not in the schemas" not in page
        assert "Seen in all of ours" not in page
    assert not Answer.objects.exists()
    entries = AuditEntry.objects.filter(action="assessment.answer-alone")
    assert all("value" not in entry.details for entry in entries)


def test_after_handing_in_own_answers_stay_as_they_are(mei):
    begin(mei)
    mei.post(at("assessment-alone"))
    assert mei.post(at("assessment-hand-in")).status_code == 400
    save(mei, value="P")
    mei.post(at("assessment-hand-in"))

    assert save(mei, value="F").status_code == 409
    assert OwnAnswer.objects.get().value == "P"
    assert mei.post(at("assessment-submit")).status_code == 409


def test_far_apart_is_discussed_and_the_same_is_agreed_at_once(mei, daniel):
    begin(mei)
    mei.post(at("assessment-alone"))
    for client, value in ((mei, "F"), (daniel, "P")):
        save(client, STATEMENT, value)
        save(client, OTHER, "L")
    assert daniel.post(at("assessment-discuss")).status_code == 403
    assert mei.post(at("assessment-discuss")).status_code == 302

    agreed = Answer.objects.get()
    assert (agreed.statement_id, agreed.value, agreed.answered_by.username) == (OTHER, "L", "mei")
    page = read(daniel)
    assert "Discuss: far apart" in page
    assert "Fully" in page
    assert "All say the same" in read(daniel, "people")
    assert save(daniel, value="L").status_code == 409  # he does not facilitate
    assert save(mei, value="L").status_code == 200
    assert Answer.objects.get(statement_id=STATEMENT).value == "L"
    context = mei.get(at("assessment-detail")).context
    assert [each["is_done"] for each in context["discussed"]] == [True]


def test_a_release_manager_opens_the_discussion_where_the_facilitator_is_away(mei, daniel, team):
    begin(mei)
    mei.post(at("assessment-alone"))
    manager = sign_in("ines", Role.RELEASE_MANAGER, team=team)
    assert manager.post(at("assessment-discuss")).status_code == 400  # nobody has answered
    save(daniel)
    assert manager.post(at("assessment-discuss")).status_code == 302
    assert save(manager, value="P").status_code == 200


def test_the_next_one_begins_with_the_answers_agreed_last(team, mei):
    agree_all("ines", team, {OTHER: "unknown"})
    with time_machine.travel(NOW + timedelta(days=60), tick=False):
        mei.force_login(make_person("mei"))
        begin(mei)
        context = mei.get(at("assessment-detail", cycle=LATER)).context

        assert context["carried_count"] == 32
        # Only what nobody knew is asked again.
        assert context["look_count"] == 1
        assert context["next_open"]["slug"] == OTHER.replace(".", "-")
        assert "nobody knew last time" in read(mei, "people", cycle=LATER)
        asked = mei.get(
            at("assessment-detail", cycle=LATER), {"category": "people", "only": "looks"}
        )
        assert sum(len(cell["statements"]) for cell in asked.context["cells"]) == 1
        save(mei, OTHER, "L", cycle=LATER)
        assert mei.get(at("assessment-detail", cycle=LATER)).context["look_count"] == 0


def test_an_inherited_answer_follows_the_other_team_until_it_is_frozen(team, mei):
    platform = make_team("platform")
    agree_all("carla", platform, {STATEMENT: "P"})
    begin(mei)
    assert save(mei, value="inherited").status_code == 422
    assert save(mei, value="inherited", source="nobody").status_code == 422
    assert save(mei, value="inherited", source="platform").status_code == 200

    def claimed() -> str:
        context = mei.get(at("assessment-detail"), {"category": "process"}).context
        rows = [one for cell in context["cells"] for one in cell["statements"]]
        return next(one for one in rows if one["statement"].id == STATEMENT)["answer"].value

    assert claimed() == "P"
    source = Answer.objects.get(assessment__team=platform, statement_id=STATEMENT)
    Answer.objects.filter(pk=source.pk).update(value="F")
    assert claimed() == "F"
    mei.post(at("assessment-submit"))
    sign_in("ines", Role.RELEASE_MANAGER, team=team).post(at("assessment-agree"))
    Answer.objects.filter(pk=source.pk).update(value="N")
    agreed = Assessment.objects.get(team=team)
    assert agreed.result["statements"][STATEMENT]["claimed"] == "F"
    assert agreed.answers.get().value == "F"
    assert claimed() == "F"


def test_a_file_is_kept_by_its_hash_and_given_out_as_an_attachment(mei, daniel):
    begin(mei)
    save(mei)
    body = b"<script>alert(1)</script>"
    file = SimpleUploadedFile("../digests <1>.html", body, "text/html")
    given = {"file": file, "title": "Digests compared", "owner": "Platform", "dated": "2026-11-01"}
    assert mei.post(at("assessment-evidence", STATEMENT), given).status_code == 302

    kept = EvidenceFile.objects.get()
    assert kept.sha256 == hashlib.sha256(body).hexdigest()
    answer = daniel.get(reverse("evidence-file", args=[kept.pk]))
    assert answer.content == body
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert mei.post(at("assessment-accept", STATEMENT)).status_code == 403
    assert daniel.post(at("assessment-accept", STATEMENT)).status_code == 302
    # An answer saved once more keeps what was accepted; another file has to be accepted anew.
    save(mei, comment="All of them")
    assert Answer.objects.get().evidence_accepted_by.username == "daniel"
    mei.post(at("assessment-evidence", STATEMENT), {"file": SimpleUploadedFile("b.txt", b"b")})
    assert Answer.objects.get().evidence_accepted_by is None


def test_a_file_that_is_too_large_or_empty_is_refused(mei):
    begin(mei)
    save(mei)
    for body in (b"", b"x" * (5 * 1024 * 1024 + 1)):
        file = SimpleUploadedFile("a.txt", body)
        answer = mei.post(at("assessment-evidence", STATEMENT), {"file": file})
        assert answer.status_code == 400
        assert "Nothing was saved." in answer.content.decode()
    assert not EvidenceFile.objects.exists()
    link = {"url": "javascript:alert(1)"}
    assert mei.post(at("assessment-evidence", STATEMENT), link).status_code == 400


def test_a_guideline_holds_until_the_day_to_review_it(mei, daniel):
    begin(mei)
    save(mei, "process.2.reuse-guidelines", "F")
    given = {"url": "https://handbook.example/reuse", "review_on": "2026-12-01"}
    mei.post(at("assessment-evidence", "process.2.reuse-guidelines"), given)
    daniel.post(at("assessment-accept", "process.2.reuse-guidelines"))

    answer = Answer.objects.get()
    assert answer.has_accepted_evidence(NOW)
    assert not answer.has_accepted_evidence(NOW + timedelta(days=9))
    given["review_on"] = "2026-11-20"
    mei.post(at("assessment-evidence", "process.2.reuse-guidelines"), given)
    refused = daniel.post(at("assessment-accept", "process.2.reuse-guidelines"))
    assert refused.status_code == 400
    assert "review it" in refused.content.decode()


def test_asking_may_stop_where_a_level_does_not_hold(mei):
    begin(mei)
    for statement in load_shipped_model().get_statements("process"):
        if statement.level <= 2:
            save(mei, statement.id, statement.scale[0].value)

    page = mei.get(at("assessment-detail"), {"category": "process"})
    assert page.context["stop"] == 2
    assert "You can stop here" in page.content.decode()
    assert page.context["next_open"]["category"] != "process"


def test_the_difference_names_what_changed(team, mei):
    agree_all("ines", team, {STATEMENT: "P"})
    with time_machine.travel(NOW + timedelta(days=60), tick=False):
        mei.force_login(make_person("mei"))
        begin(mei)
        save(mei, value="F", cycle=LATER)
        page = mei.get(at("assessment-difference", cycle=LATER))

        assert [each["statement"].id for each in page.context["moved"]] == [STATEMENT]
        assert "Partly → Fully" in page.content.decode()
        unknown = mei.get(at("assessment-difference", cycle=LATER), {"to": "2001-q1"})
        assert unknown.status_code == 404
    assert "No earlier assessment" in mei_read(mei, "assessment-difference")


def mei_read(mei: Client, name: str) -> str:
    mei.force_login(make_person("mei"))
    return mei.get(at(name)).content.decode()


def test_what_is_ticked_shows_the_levels_it_would_give(mei):
    begin(mei)
    process = load_shipped_model().get_statements("process")
    page = mei.get(at("assessment-what-if"), {"fix": [one.id for one in process] + ["no.1.such"]})

    group = next(each for each in page.context["groups"] if each["category"].id == "process")
    assert (group["now"], group["then"]) == (1, 5)
    assert (page.context["now"], page.context["then"]) == (1, 1)
    assert not Answer.objects.exists()
    part = mei.get(at("assessment-what-if"), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part


def test_one_service_is_measured_alone(mei, team):
    make_service("shipment-api", team=team)
    make_service("label-printer", team=team)
    begin(mei)
    page = mei.get(at("assessment-services"), {"service": "label-printer"})

    assert page.context["service"].slug == "label-printer"
    assert len(page.context["rows"]) == 30
    assert mei.get(at("assessment-services"), {"service": "nobody"}).status_code == 404


def test_an_action_has_an_owner_and_a_day_and_is_closed(mei, team):
    reader = sign_in("rasmus", Role.VIEWER, team=team)
    address = reverse("action-open", args=["shipping"])
    given = {"statement": OTHER, "what": "Write causes", "owner": "mei", "due_on": "2026-12-24"}

    assert reader.post(address, given).status_code == 403
    assert mei.post(address, {**given, "owner": "rasmus"}).status_code == 400
    assert mei.post(address, {**given, "due_on": "2026-11-01"}).status_code == 400
    assert mei.post(address, {**given, "statement": "no.1.such"}).status_code == 400
    assert mei.post(address, given).status_code == 302
    action = Improvement.objects.get()
    page = mei.get(reverse("team-actions", args=["shipping"])).content.decode()
    assert "1 action is open, none past its day." in page
    assert "Write causes" in mei.get(reverse("assessment-list")).content.decode()
    move = reverse("action-move", args=[action.pk])
    assert reader.post(move, {"state": "done"}).status_code == 403
    assert mei.post(move, {"state": "done"}).status_code == 302
    assert mei.post(move, {"state": "done"}).status_code == 409
    assert mei.post(move, {"state": "sold"}).status_code == 400
    assert Improvement.objects.get().state == "done"


def test_the_list_of_actions_takes_as_many_queries_for_twenty_as_for_one(mei, team):
    address = reverse("action-open", args=["shipping"])
    counts = []
    for number in range(20):
        given = {"statement": OTHER, "what": f"Step {number}", "owner": "mei"}
        mei.post(address, {**given, "due_on": "2026-12-24"})
        if number in (1, 19):
            with CaptureQueriesContext(connection) as queries:
                mei.get(reverse("team-actions", args=["shipping"]))
            counts.append(len(queries))
    assert counts[0] == counts[1]
