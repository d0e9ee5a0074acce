"""What one delivery and one batch cost the database, and that hints do not hold up an answer."""

import hashlib
import hmac
import json
import threading

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from promotion import tasks
from promotion.hinting import MOST_TOGETHER, Hinter
from promotion.models import Event
from tests.factories import digest_of, make_sender, make_token


def deliver(number: int):
    body = json.dumps({"number": number}).encode()
    signature = hmac.new(b"whsec-test", body, hashlib.sha256).hexdigest()
    return Client().post(
        "/hooks/github",
        body,
        content_type="application/json",
        headers={
            "X-Hub-Signature-256": f"sha256={signature}",
            "X-GitHub-Event": "deployment_status",
            "X-GitHub-Delivery": f"delivery-{number}",
        },
    )


def send_batch(text: str, name: str):
    facts = [{"kind": "deployment", "digest": digest_of(f"{name} {one}")} for one in range(100)]
    return Client().post(
        "/api/v1/events",
        json.dumps(facts),
        content_type="application/json",
        headers={"Authorization": f"Bearer {text}"},
    )


@pytest.mark.django_db
def test_a_webhook_costs_two_statements_and_no_savepoint():
    make_sender()
    with CaptureQueriesContext(connection) as queries:
        assert deliver(1).status_code == 202
    found, kept = [one["sql"] for one in queries]
    assert found.startswith("SELECT")
    assert kept.startswith("INSERT")


@pytest.mark.django_db
def test_a_webhook_that_comes_again_costs_one_statement_more():
    make_sender()
    deliver(1)
    with CaptureQueriesContext(connection) as queries:
        assert deliver(1).json()["duplicate"]
    assert len(queries) == 3
    assert Event.objects.count() == 1


@pytest.mark.django_db
def test_a_batch_of_a_hundred_facts_costs_two_statements():
    _, text = make_token("events", last_used_at=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        assert send_batch(text, "first").status_code == 202
    assert len(queries) == 2


def test_hints_given_while_the_broker_is_slow_are_sent_many_in_one_message(monkeypatch):
    taken, begun, goes_on, is_done = [], threading.Event(), threading.Event(), threading.Event()

    def take(events):
        begun.set()
        assert goes_on.wait(30)
        taken.append(events)
        if sum(map(len, taken)) == 1 + 2 * MOST_TOGETHER:
            is_done.set()

    monkeypatch.setattr(tasks.process_together, "delay", take)
    hinter = Hinter()
    hinter.give(1)
    assert begun.wait(30)
    for event in range(2, 2 + 2 * MOST_TOGETHER):
        hinter.give(event)
    assert not taken  # all were given though the broker took none
    goes_on.set()
    assert is_done.wait(30)
    assert [len(one) for one in taken] == [1, MOST_TOGETHER, MOST_TOGETHER]
    assert [event for one in taken for event in one] == list(range(1, 2 + 2 * MOST_TOGETHER))


def test_a_hint_that_cannot_be_sent_keeps_no_later_one_from_being_sent(monkeypatch):
    tried, is_sent = threading.Event(), threading.Event()

    def take(events):
        if not tried.is_set():
            tried.set()
            raise ValueError("no such broker")
        is_sent.set()

    monkeypatch.setattr(tasks.process_together, "delay", take)
    hinter = Hinter()
    hinter.give(1)
    assert tried.wait(30)
    hinter.give(2)
    assert is_sent.wait(30)
