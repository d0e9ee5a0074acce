"""Bodies that nobody sends in good faith: a clear answer, never a 5xx, and the same after processing."""

import gzip
import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from promotion.actions.process_event import process_event
from promotion.models import Event
from promotion.sources.known import SOURCES
from tests.factories import NOW, digest_of, make_environments, make_sender, make_service
from tests.parts.proofs import prove, standard

pytestmark = pytest.mark.django_db
SECRET = "correct-horse"
CLIENT = Client(raise_request_exception=False)
FACT = {
    "kind": "deployment",
    "service": "shop",
    "environment": "production",
    "digest": digest_of("shop"),
    "result": "succeeded",
    "external_id": "d-1",
}
BODIES = {
    "nothing": b"",
    "nested lists": b"[" * 500_000,
    "nested objects": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "a number without end": b'{"id": ' + b"9" * 100_000 + b"}",
    "a number beyond all": b'{"id": 1e999999, "build": {"number": -1e999999}}',
    "not a number": b'{"id": NaN, "time": Infinity}',
    "NUL": b"\x00" * 1000,
    "NUL in a text": b'{"kind": "build", "name": "a\\u0000b", "external_id": "\\u0000"}',
    "half a character": b'{"kind": "build", "name": "\\ud800", "external_id": "\\udfff"}',
    "bytes that are no text": bytes(range(256)) * 20,
    "the same key twice": b'{"kind": "build", "kind": {"a": []}, "name": "x", "name": []}',
    "gzip": gzip.compress(json.dumps(FACT).encode()),
    "a document type": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "a page": b"<html><body>Bad gateway</body></html>",
    "a form": b"payload=" + b"%7B" * 1000,
    "a form of many fields": b"&".join(b"a=1" for _ in range(50_000)),
    "a list of nothing": b"[" + b"null," * 200_000 + b"null]",
    "many lines": b"1\n" * 100_000,
    "a very long text": b'{"kind": "build", "external_id": "' + b"x" * 2_000_000 + b'"}',
    "very many keys": json.dumps({f"key{one}": one for one in range(50_000)}).encode(),
}


@pytest.fixture
def senders():
    make_service("shop")
    make_environments()
    for kind in SOURCES:
        make_sender(kind, kind, secret=SECRET)


def post(kind, body, **headers):
    return CLIENT.post(
        f"/hooks/{kind}",
        body,
        content_type="application/json",
        headers={**prove(kind, body, SECRET), **headers},
    )


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_kept_and_said_to_be_what_it_is(name, senders):
    for kind in ("generic", "github", "evidence", "registry", "jenkins", "google", "sentry"):
        answer = post(kind, BODIES[name])
        assert answer.status_code == 202, (kind, answer.content)
        process_event(answer.json()["event"], at=NOW)
        event = Event.objects.get(pk=answer.json()["event"])
        assert event.state not in {Event.State.ERRORED, Event.State.RECEIVED}, (kind, event.summary)
        assert event.attempts == 0
        assert len(event.notes) <= 501
        assert "could not be recorded" not in str(event.outcome)


def test_a_body_is_read_as_it_was_signed_and_never_unpacked(senders):
    answer = post("generic", BODIES["gzip"], **{"Content-Encoding": "gzip"})
    process_event(answer.json()["event"], at=NOW)
    event = Event.objects.get()
    assert event.state == Event.State.UNREADABLE
    assert bytes(event.body) == BODIES["gzip"]


def test_a_body_larger_than_the_limit_is_refused_with_what_to_do(senders):
    answer = post("generic", b"[" + b" " * (5 * 1024 * 1024) + b"]")
    assert answer.status_code == 413
    assert "smaller parts" in answer.json()["detail"]
    assert not Event.objects.exists()


def test_a_signed_delivery_sent_again_later_is_refused(senders):
    body = json.dumps(FACT).encode()
    with time_machine.travel(NOW, tick=False):
        headers = standard(body, SECRET, NOW)
        first = CLIENT.post(
            "/hooks/generic", body, content_type="application/json", headers=headers
        )
    with time_machine.travel(NOW + timedelta(minutes=6), tick=False):
        again = CLIENT.post(
            "/hooks/generic", body, content_type="application/json", headers=headers
        )
    assert (first.status_code, again.status_code) == (202, 401)
    assert "five minutes" in again.json()["detail"]
    assert Event.objects.count() == 1


@pytest.mark.parametrize("value", ["Basic ÿÿ", "Bearer", "Basic " + "A" * 5000, "\x00", "é" * 100])
def test_a_strange_proof_is_refused(value, senders):
    for kind in SOURCES:
        header = next(iter(prove(kind, b"{}", SECRET)))
        answer = CLIENT.post(
            f"/hooks/{kind}", b"{}", content_type="application/json", headers={header: value}
        )
        assert answer.status_code == 401, kind
    assert not Event.objects.exists()
