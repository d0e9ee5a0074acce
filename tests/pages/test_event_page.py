"""The pages of events: what arrived, what it became, and processing it again."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from promotion.actions.process_event import process_event
from promotion.actions.receive import receive
from promotion.models import AuditEntry, Event, Role, Sender
from promotion.sources.base import Delivery
from promotion.sources.known import SOURCES
from tests.factories import (
    make_environments,
    make_person,
    make_release,
    make_sender,
    make_service,
)
from tests.parts.recording_server import Answer, run_recording_server

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def scheduled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    events: list[int] = []
    monkeypatch.setattr("promotion.tasks.process.delay_on_commit", lambda pk: events.append(pk))
    return events


@pytest.fixture
def engineer(client: Client) -> Any:
    person = make_person("pete", Role.PLATFORM_ENGINEER)
    client.force_login(person)
    return person


def arrive(
    body: object,
    *,
    sender: Sender | None = None,
    headers: dict[str, str] | None = None,
    process: bool = True,
) -> Event:
    """An event of our own JSON, processed as a worker would."""
    sender = sender or Sender.objects.filter(slug="ci").first() or make_sender("ci", "generic")
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    delivery = Delivery(body=raw, headers=headers or {}, content_type="application/json")
    event = receive(
        SOURCES[sender.kind], delivery, sender=sender, token=None, at=timezone.now()
    ).event
    if process:
        process_event(event.pk, at=timezone.now())
    event.refresh_from_db()
    return event


def deployed(environment: str = "dev") -> dict[str, str]:
    return {
        "kind": "deployment",
        "service": "shipment-api",
        "environment": environment,
        "version": "4.18.0",
        "result": "succeeded",
        "external_id": f"run-{environment}",
        "finished_at": "2026-11-23T10:00:00Z",
    }


def test_an_event_shows_what_it_became_with_a_link_to_the_release(
    client: Client, engineer: Any
) -> None:
    make_environments()
    release = make_release(make_service())
    event = arrive(deployed())
    html = client.get(f"/events/{event.pk}/").content.decode()
    assert f"/releases/shipment-api/4.18.0/?digest={release.digests[0]}" in html
    assert "Deployment: " in html
    assert "created" in html


def test_an_event_that_became_nothing_says_why_on_the_list_and_on_its_page(
    client: Client, engineer: Any
) -> None:
    event = arrive(deployed("moon"))
    assert event.state == Event.State.UNMAPPED
    for address in ("/events/", f"/events/{event.pk}/"):
        assert "no service of the catalog" in client.get(address).content.decode()


def test_headers_that_may_hold_a_secret_are_hidden(client: Client, engineer: Any) -> None:
    event = arrive(deployed())
    Event.objects.filter(pk=event.pk).update(
        headers={"X-Our-Secret": "tiger", "Authorization": "tiger", "X-Kind": "<visible>"}
    )
    html = client.get(f"/events/{event.pk}/").content.decode()
    assert "tiger" not in html
    assert "(hidden)" in html
    assert "&lt;visible&gt;" in html


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe\x00", b"<script>alert(1)</script>", b"[" * 5000, b'{"a": "</pre><b>"}'],
)
def test_any_body_is_shown_as_escaped_text(client: Client, engineer: Any, body: bytes) -> None:
    event = arrive(body)
    response = client.get(f"/events/{event.pk}/")
    assert response.status_code == 200
    html = response.content.decode()
    assert "<script>alert" not in html
    assert "</pre><b>" not in html


def test_a_long_body_is_cut_and_the_whole_is_downloaded_as_text(
    client: Client, engineer: Any
) -> None:
    raw = json.dumps({"kind": "change", "details": {"text": "x" * 30_000}}).encode()
    event = arrive(raw)
    html = client.get(f"/events/{event.pk}/").content.decode()
    assert "only its beginning is shown" in html
    assert "x" * 25_000 not in html
    response = client.get(f"/events/{event.pk}/body/")
    assert response.content == raw
    assert response["Content-Type"].startswith("text/plain")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment")


def test_a_platform_engineer_has_an_event_processed_again_after_the_mapping_was_mended(
    client: Client, engineer: Any, scheduled: list[int]
) -> None:
    event = arrive(deployed())
    assert event.state == Event.State.UNMAPPED
    make_environments()
    make_release(make_service())
    assert client.post(f"/events/{event.pk}/again/").status_code == 302
    event.refresh_from_db()
    assert event.state == Event.State.RECEIVED
    assert scheduled == [event.pk]
    entry = AuditEntry.objects.get(action="event.replay")
    assert (entry.actor, entry.details["before"]["state"]) == (engineer, "unmapped")
    process_event(event.pk, at=timezone.now())
    event.refresh_from_db()
    assert event.state == Event.State.RECORDED


def test_an_event_that_still_waits_cannot_be_processed_again(
    client: Client, engineer: Any, scheduled: list[int]
) -> None:
    event = arrive(deployed(), process=False)
    response = client.post(f"/events/{event.pk}/again/")
    assert response.status_code == 409
    assert "still waits" in response.content.decode()
    assert scheduled == []


@pytest.mark.parametrize("role", [Role.MEMBER, Role.RELEASE_MANAGER, Role.ADMINISTRATOR])
def test_nobody_but_a_platform_engineer_processes_an_event_again(
    client: Client, scheduled: list[int], role: str
) -> None:
    event = arrive(deployed())
    client.force_login(make_person("otto", role))
    assert "Process again" not in client.get(f"/events/{event.pk}/").content.decode()
    assert client.post(f"/events/{event.pk}/again/").status_code == 403
    event.refresh_from_db()
    assert event.state == Event.State.UNMAPPED
    assert scheduled == []


def test_an_event_is_never_processed_again_by_a_get_and_an_unknown_one_is_not_found(
    client: Client, engineer: Any
) -> None:
    event = arrive(deployed())
    assert client.get(f"/events/{event.pk}/again/").status_code == 405
    for address in ("/events/0/", "/events/0/body/", "/events/99999999999999999/"):
        assert client.get(address).status_code == 404
    assert client.post("/events/0/again/").status_code == 404


def test_events_are_filtered_by_sender_source_state_and_service(
    client: Client, engineer: Any
) -> None:
    make_environments()
    make_release(make_service())
    recorded = arrive(deployed())
    unmapped = arrive(deployed("moon"))
    other = arrive(deployed("mars"), sender=make_sender("other", "generic"))

    def shown(query: str) -> set[int]:
        return {event.pk for event, _ in client.get(f"/events/{query}").context["events"]}

    assert shown("") == {recorded.pk, unmapped.pk, other.pk}
    assert shown("?sender=other") == {other.pk}
    assert shown("?state=unmapped") == {unmapped.pk, other.pk}
    assert shown("?service=shipment-api") == {recorded.pk}
    assert shown("?source=github") == set()


@pytest.mark.parametrize("query", ["?state=%00", "?sender='", "?cursor=~", "?service=%F0%9F%98%80"])
def test_the_list_bears_filters_nobody_made(client: Client, engineer: Any, query: str) -> None:
    arrive(deployed())
    assert client.get(f"/events/{query}").status_code == 200


def test_paging_shows_every_event_once(client: Client, engineer: Any) -> None:
    first = arrive({"kind": "change", "commit": "0"})
    for number in range(1, 60):
        arrive({"kind": "change", "commit": str(number)}, process=False)
    Event.objects.update(received_at=timezone.now() - timedelta(hours=1))
    page = client.get("/events/")
    second = client.get("/events/", {"cursor": page.context["page"].next_cursor})
    shown = [event.pk for one in (page, second) for event, _ in one.context["events"]]
    assert len(shown) == len(set(shown)) == 60
    assert shown[-1] == first.pk


def test_the_lists_queries_do_not_grow_with_the_events(
    client: Client, engineer: Any, django_assert_num_queries: Any
) -> None:
    arrive(deployed("a"))
    client.get("/events/")
    with CaptureQueriesContext(connection) as few:
        client.get("/events/")
    for number in range(20):
        arrive(deployed(f"b{number}"))
    assert len(few) < 13
    with django_assert_num_queries(len(few)):
        client.get("/events/")


PLACE = "/?Action=ConfirmSubscription&TopicArn=a&Token=b"


def ask_to_confirm(address: str) -> Event:
    body = {
        "Type": "SubscriptionConfirmation",
        "MessageId": "1",
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:deployments",
        "SubscribeURL": address,
    }
    sender = Sender.objects.filter(slug="aws").first() or make_sender("aws", "aws")
    return arrive(body, sender=sender)


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """A server that stands for SNS; `status` is what it answers."""
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    answers = {"status": 200}
    with run_recording_server(lambda _: Answer(answers["status"])) as server:
        place = re.compile(re.escape(server.base_url) + ".*")
        monkeypatch.setattr("promotion.sources.own_keys.aws.SUBSCRIBE", place)
        yield server, answers


def test_a_subscription_of_sns_is_confirmed_from_its_event(
    client: Client, engineer: Any, sns: Any
) -> None:
    server, answers = sns
    event = ask_to_confirm(server.base_url + PLACE)
    assert "SNS asks to confirm" in event.summary
    assert "Confirm the subscription" in client.get(f"/events/{event.pk}/").content.decode()
    assert server.asked == []
    response = client.post(f"/events/{event.pk}/confirm/", follow=True)
    assert "SNS confirmed" in response.content.decode()
    assert [(one.method, one.path) for one in server.asked] == [("GET", PLACE)]
    assert AuditEntry.objects.get(action="event.confirm").actor == engineer
    for status, told in ((403, 409), (500, 503)):
        answers["status"] = status
        refused = client.post(f"/events/{event.pk}/confirm/")
        assert refused.status_code == told
        assert "not confirmed" in refused.content.decode()


def test_an_event_that_names_another_address_offers_no_confirmation_and_calls_nothing(
    client: Client, engineer: Any
) -> None:
    event = ask_to_confirm("http://169.254.169.254/latest/?Action=ConfirmSubscription&Token=b")
    assert "Confirm the subscription" not in client.get(f"/events/{event.pk}/").content.decode()
    assert client.post(f"/events/{event.pk}/confirm/").status_code == 409
    assert not AuditEntry.objects.filter(action="event.confirm").exists()


def test_only_who_may_configure_confirms_a_subscription(client: Client, sns: Any) -> None:
    server, _ = sns
    event = ask_to_confirm(server.base_url + PLACE)
    client.force_login(make_person("mia", Role.MEMBER))
    assert "Confirm the subscription" not in client.get(f"/events/{event.pk}/").content.decode()
    assert client.post(f"/events/{event.pk}/confirm/").status_code == 403
    assert server.asked == []
