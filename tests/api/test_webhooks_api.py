"""Where tools deliver."""

import hashlib
import hmac
from pathlib import Path

import pytest
from django.test import Client

from promotion.actions.process_event import process_event
from promotion.models import Event
from tests.factories import NOW, make_sender

pytestmark = pytest.mark.django_db
PAYLOAD = Path(__file__).parent.parent / "fixtures" / "github" / "workflow_run.completed.json"
SECRET = "whsec-test"


@pytest.fixture
def sender():
    return make_sender("github", "github", secret=SECRET)


def deliver(body, *, secret=SECRET, slug="github", **headers):
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Client(enforce_csrf_checks=True).post(
        f"/hooks/{slug}",
        body,
        content_type="application/json",
        headers={
            "X-Hub-Signature-256": signature,
            "X-GitHub-Event": "workflow_run",
            "X-GitHub-Delivery": "72d3162e",
            **headers,
        },
    )


def test_a_signed_delivery_is_kept_as_it_came_and_acknowledged(
    sender, django_capture_on_commit_callbacks
):
    body = PAYLOAD.read_bytes()
    with django_capture_on_commit_callbacks() as hints:
        answer = deliver(body)
    event = Event.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {
        "event": event.pk,
        "duplicate": False,
        "url": f"/api/v1/events/{event.pk}",
    }
    assert bytes(event.body) == body
    assert event.sender == sender
    assert len(hints) == 1


def test_the_same_delivery_again_is_acknowledged_and_kept_once(
    sender, django_capture_on_commit_callbacks
):
    first = deliver(PAYLOAD.read_bytes()).json()
    with django_capture_on_commit_callbacks() as hints:
        again = deliver(PAYLOAD.read_bytes())
    assert again.status_code == 202
    assert again.json() == {**first, "duplicate": True}
    assert Event.objects.count() == 1
    assert not hints


def test_a_wrong_signature_is_refused_and_nothing_is_kept(sender):
    answer = deliver(PAYLOAD.read_bytes(), secret="another")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert not Event.objects.exists()


def test_nobody_delivers_where_no_sender_is_set_up(sender):
    answer = deliver(b"{}", slug="unknown")
    assert answer.status_code == 404
    assert "/hooks/unknown" in answer.json()["detail"]


def test_a_sender_that_was_switched_off_is_not_there(sender):
    sender.is_active = False
    sender.save()
    assert deliver(b"{}").status_code == 404


def test_a_sender_may_have_a_dot_in_its_name():
    make_sender("ci.eu-1", "github", secret=SECRET)
    assert deliver(PAYLOAD.read_bytes(), slug="ci.eu-1").status_code == 202


def test_a_body_over_the_limit_is_refused_and_not_kept(sender, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = deliver(b'"' + b"x" * 1000 + b'"')
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"
    assert not Event.objects.exists()


def test_a_signed_body_that_is_no_json_is_kept_and_told_unreadable(sender):
    answer = deliver(b"\xff\xfenot json at all")
    assert answer.status_code == 202
    process_event(answer.json()["event"], at=NOW)
    event = Event.objects.get()
    assert event.state == Event.State.UNREADABLE
    assert event.summary


@pytest.mark.parametrize("method", ["get", "put", "delete", "head"])
def test_only_post_delivers(sender, method):
    answer = getattr(Client(), method)("/hooks/github")
    assert answer.status_code == 405
    assert answer["Allow"] == "POST, OPTIONS"
    assert answer["Content-Type"] == "application/problem+json"


def test_the_handshake_of_cloudevents_lets_the_origin_deliver(sender):
    answer = Client().options("/hooks/github", headers={"WebHook-Request-Origin": "ci.example"})
    assert answer.status_code == 200
    assert answer["WebHook-Allowed-Origin"] == "ci.example"
    assert not Event.objects.exists()


def test_a_secret_in_a_header_is_not_kept(sender):
    deliver(PAYLOAD.read_bytes(), Authorization="Basic c2VjcmV0")
    headers = {name.lower(): value for name, value in Event.objects.get().headers.items()}
    assert headers["authorization"] == "(hidden)"


def test_the_handshake_without_an_origin_promises_nothing(sender):
    answer = Client().options("/hooks/github")
    assert answer.status_code == 200
    assert "WebHook-Allowed-Origin" not in answer
