"""Every payload there is, posted to its hook by its sender: acknowledged, processed, never broken."""

import pytest
from django.test import Client

from promotion.actions.process_event import process_event
from promotion.models import Event, Evidence
from promotion.sources.known import SOURCES
from tests.factories import NOW, make_environments, make_sender, make_service
from tests.parts.proofs import prove
from tests.parts.samples import FIXTURES, all_cases, cases

pytestmark = pytest.mark.django_db
SECRET = "correct-horse"
DIGEST = "sha256:" + "ab" * 32
CLIENT = Client(raise_request_exception=False)  # one for all: making one costs more than a request


def post(kind, body, headers):
    return CLIENT.post(
        f"/hooks/{kind}",
        body,
        content_type="application/json",
        headers={**prove(kind, body, SECRET), **headers},
    )


@pytest.fixture
def catalog():
    make_service("shop")
    make_environments()
    for kind in SOURCES:
        make_sender(kind, kind, secret=SECRET)


def test_every_file_is_of_a_sender_that_is_known():
    assert {kind for kind, _, _ in all_cases()} <= set(SOURCES)
    files = {one for one in FIXTURES.rglob("*") if one.is_file() and one.name != "SOURCES.md"}
    assert {FIXTURES / name for _, name, _ in cases()} == files
    assert len(files) > 450


def test_every_file_says_where_it_comes_from():
    said = (FIXTURES / "SOURCES.md").read_text("utf-8")
    for _, name, _ in cases():
        assert name.startswith("integrity/") or f"| {name} |" in said, name


def test_every_payload_is_acknowledged_and_processed_whatever_it_says(catalog):
    for kind, name, headers in all_cases():
        answer = post(kind, (FIXTURES / name).read_bytes(), headers)
        assert answer.status_code == 202, (name, answer.content)
        number = answer.json()["event"]
        process_event(number, at=NOW)
        event = Event.objects.get(pk=number)
        assert event.state not in {Event.State.ERRORED, Event.State.RECEIVED}, (name, event.summary)
        assert event.summary, name
        broken = [one["note"] for one in event.outcome if "could not be recorded" in one["note"]]
        assert broken == [], name


def test_every_payload_without_its_proof_is_refused_and_not_kept(catalog):
    for kind, name, headers in cases():
        answer = CLIENT.post(
            f"/hooks/{kind}",
            (FIXTURES / name).read_bytes(),
            content_type="application/json",
            headers=headers,
        )
        assert answer.status_code == 401, name
        assert "was not taken in" in answer.json()["detail"]
    assert not Event.objects.exists()


def test_every_evidence_file_is_kept_with_what_it_counts(catalog):
    for kind, name, headers in cases():
        if kind == "evidence":
            body = (FIXTURES / name).read_bytes()
            answer = post(kind, body, {**headers, "X-Throughline-Digest": DIGEST})
            process_event(answer.json()["event"], at=NOW)
    types = set(Evidence.objects.values_list("type", flat=True))
    assert types == {"provenance", "signature", "sbom", "vex", "scan", "test", "attestation"}
    assert not Evidence.objects.filter(is_verified=True).exists()
    junit = Evidence.objects.get(type="test", digest=DIGEST)
    assert (junit.title, junit.result) == ("shop-api", "failed")
    assert junit.details["tests"] == {"tests": 4, "failures": 1, "errors": 0, "skipped": 1}
