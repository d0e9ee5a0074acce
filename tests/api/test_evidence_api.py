"""POST /api/v1/evidence, and a hook of kind evidence."""

import pytest
from django.test import Client

from promotion.actions.process_event import process_event
from promotion.models import Artifact, Event, Evidence
from tests.factories import NOW, make_person, make_release, make_sender, make_service

pytestmark = pytest.mark.django_db
PASSED = b"<testsuite name='unit'><testcase name='a'/></testsuite>"


@pytest.fixture
def digest():
    return make_release(make_service()).digests[0]


def send(client, body, query="", **headers):
    return client.generic(
        "POST", f"/api/v1/evidence{query}", body, content_type="application/xml", headers=headers
    )


def process():
    for number in Event.objects.values_list("pk", flat=True):
        process_event(number, at=NOW)


def test_a_file_is_stored_against_the_digest_that_the_query_names(call_as, digest):
    answer = send(call_as("events"), PASSED, f"?digest={digest}&name=Unit+tests")
    assert answer.status_code == 202, answer.content
    process()
    evidence = Evidence.objects.get()
    assert evidence.artifact == Artifact.objects.get(digest=digest)
    assert (evidence.type, evidence.result, evidence.title) == ("test", "passed", "Unit tests")
    assert evidence.is_verified is False
    assert bytes(evidence.event.body) == PASSED


def test_a_header_names_the_digest_as_well(call_as, digest):
    send(call_as("events"), PASSED, **{"X-Throughline-Digest": digest})
    process()
    assert Evidence.objects.get().digest == digest


def test_the_same_file_again_is_kept_once_and_for_another_digest_anew(call_as, digest):
    client = call_as("events")
    other = "sha256:" + "ef" * 32
    sent = [send(client, PASSED, f"?digest={one}").json() for one in (digest, digest, other)]
    assert [one["duplicate"] for one in sent] == [False, True, False]
    process()
    assert set(Evidence.objects.values_list("digest", flat=True)) == {digest, other}


def test_a_file_that_is_replayed_changes_nothing(call_as, digest):
    send(call_as("events"), PASSED, f"?digest={digest}")
    process()
    Event.objects.update(state=Event.State.RECEIVED)
    process()
    assert Evidence.objects.count() == 1


@pytest.mark.parametrize("query", ["?digest=latest", "?digest=sha256:ab", "?digest="])
def test_a_digest_that_is_none_is_refused_and_nothing_is_kept(query, call_as):
    answer = send(call_as("events"), PASSED, query)
    assert answer.status_code == 400
    assert "digest" in answer.json()["errors"]
    assert not Event.objects.exists()


def test_what_cannot_be_read_is_refused_and_nothing_is_kept(call_as, digest):
    answer = send(call_as("events"), b"<!DOCTYPE a><testsuite/>", f"?digest={digest}")
    assert answer.status_code == 400
    assert "document type" in answer.json()["detail"]
    assert not Event.objects.exists()


def test_it_takes_a_token_that_may_send_events(call_as, digest):
    assert send(call_as("read"), PASSED, f"?digest={digest}").status_code == 403
    assert send(Client(), PASSED, f"?digest={digest}").status_code == 401


def test_a_hook_of_kind_evidence_takes_the_digest_from_its_query(digest):
    make_sender("reports", "evidence", secret="correct-horse")
    answer = Client().post(
        f"/hooks/reports?digest={digest}&name=Unit",
        PASSED,
        content_type="application/xml",
        headers={"Authorization": "Bearer correct-horse"},
    )
    assert answer.status_code == 202, answer.content
    process()
    assert Evidence.objects.get().digest == digest


MIB = 1024 * 1024


def bill(size):
    """A bill of materials with a component and so many bytes."""
    head = b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "a"}], "x": "'
    return head + b"y" * (size - len(head) - 2) + b'"}'


def test_a_file_larger_than_an_event_may_be_is_taken_in_by_both_ways(call_as, digest):
    make_sender("files", "evidence", secret="correct-horse")
    body = bill(6 * MIB)
    assert send(call_as("events"), body, f"?digest={digest}").status_code == 202
    hook = Client().post(
        f"/hooks/files?digest={digest}",
        body,
        content_type="application/json",
        headers={"Authorization": "Bearer correct-horse"},
    )
    assert hook.status_code == 202
    process()
    found = list(Evidence.objects.filter(digest=digest))
    assert [one.type for one in found] == ["sbom"]
    assert {len(event.body) for event in Event.objects.all()} == {6 * MIB}


def test_a_file_larger_than_the_setting_is_refused_by_both_and_says_how_large_it_may_be(
    call_as, digest, settings
):
    settings.EVIDENCE_MAX_SIZE = 7 * MIB
    make_sender("files", "evidence", secret="correct-horse")
    proof = {"Authorization": "Bearer correct-horse"}
    for size in (7 * MIB + 1, 9 * MIB):
        hook = Client().post(
            "/hooks/files", bill(size), content_type="application/json", headers=proof
        )
        for answer in (send(call_as("events"), bill(size)), hook):
            assert answer.status_code == 413
            assert "larger than 7 MiB" in answer.json()["detail"]
            assert answer["Content-Type"] == "application/problem+json"
    assert not Event.objects.exists()


def test_only_evidence_may_be_that_large(call_as):
    make_sender("github", "generic", secret="correct-horse")
    proof = {"Authorization": "Bearer correct-horse"}
    body = bill(6 * MIB)
    hook = Client().post("/hooks/github", body, content_type="application/json", headers=proof)
    api = call_as("events").generic("POST", "/api/v1/events", body, content_type="application/json")
    for answer in (hook, api):
        assert answer.status_code == 413
        assert "larger than 5 MiB" in answer.json()["detail"]


@pytest.mark.parametrize("address", ["/api/v1/evidence", "/api/v1/events"])
def test_a_form_of_a_signed_in_person_is_refused_and_breaks_nothing(address):
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    client.force_login(make_person("ines"))
    client.cookies["csrftoken"] = token = "a" * 32
    refused = client.post(address, {"csrfmiddlewaretoken": token, "file": "x"})
    assert refused.status_code == 403
    answer = client.post(address, {"file": "x"}, headers={"X-CSRFToken": token})
    assert answer.status_code == 403
    assert "token of scope" in answer.json()["detail"]
