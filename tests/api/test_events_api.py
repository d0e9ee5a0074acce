"""Our own intake with a token, and what became of an event."""

import json
from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from promotion.actions.process_event import process_event
from promotion.models import Deployment, Event, Observation
from tests.factories import NOW, digest_of, make_environments, make_person, make_service, make_token

pytestmark = pytest.mark.django_db
FACT = {
    "kind": "deployment",
    "service": "shipment-api",
    "environment": "production",
    "digest": digest_of("shop"),
    "result": "succeeded",
    "external_id": "d-1",
    "finished_at": "2026-11-23T14:00:00Z",
}


@pytest.fixture
def sending(call_as):
    return call_as("events")


def send(client, body, content_type="application/json", **headers):
    text = body if isinstance(body, str) else json.dumps(body)
    return client.generic(
        "POST", "/api/v1/events", text, content_type=content_type, headers=headers
    )


def test_a_fact_becomes_an_event_and_the_event_tells_what_it_became(sending):
    make_service()
    make_environments()
    answer = send(sending, FACT)
    assert answer.status_code == 202
    process_event(answer.json()["event"], at=NOW)
    told = sending.get(answer.json()["url"]).json()
    assert told["state"] == "recorded"
    assert told["outcome"][0]["became"] == "created"
    assert told["received_at"] == "2026-11-23T14:20:00Z"
    assert Deployment.objects.get().digest == FACT["digest"]


def test_lines_of_json_become_one_event_with_a_fact_each(sending):
    make_service()
    make_environments()
    lines = "\n".join(json.dumps({**FACT, "external_id": f"d-{n}"}) for n in range(3))
    event = send(sending, lines, "application/x-ndjson").json()["event"]
    process_event(event, at=NOW)
    assert Event.objects.count() == 1
    assert Deployment.objects.count() == 3


def test_a_batch_of_cloudevents_is_read(sending):
    make_service()
    make_environments()
    batch = [
        {
            "specversion": "1.0",
            "id": str(number),
            "source": "ci",
            "type": "throughline.deployment",
            "data": {**FACT, "external_id": f"c-{number}"},
        }
        for number in range(2)
    ]
    event = send(sending, batch, "application/cloudevents-batch+json").json()["event"]
    process_event(event, at=NOW)
    assert Deployment.objects.count() == 2


def test_the_same_body_twice_is_one_event(sending):
    first = send(sending, FACT).json()
    assert send(sending, FACT).json() == {**first, "duplicate": True}


def test_what_cannot_be_read_is_refused_and_not_kept(sending):
    answer = send(sending, "{broken")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert not Event.objects.exists()


def test_a_body_over_the_limit_is_refused_and_not_kept(sending, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = send(sending, FACT)
    assert answer.status_code == 413
    assert not Event.objects.exists()


def test_without_a_token_nobody_sends():
    answer = send(APIClient(), FACT)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "fields",
    [{"expires_at": NOW}, {"revoked_at": NOW - timedelta(days=1)}],
    ids=["expired", "revoked"],
)
def test_a_token_that_ended_sends_nothing(call_as, fields):
    assert send(call_as("events", **fields), FACT).status_code == 401
    assert not Event.objects.exists()


def test_the_token_of_somebody_who_left_sends_nothing(call_as):
    gone = make_person("gone", is_active=False)
    assert send(call_as("events", user=gone), FACT).status_code == 401


def test_a_token_that_may_only_read_sends_nothing(reader):
    answer = send(reader, FACT)
    assert answer.status_code == 403
    assert "'events'" in answer.json()["detail"]
    assert not Event.objects.exists()


def test_a_signed_in_person_sends_no_events():
    client = APIClient()
    client.force_login(make_person())
    answer = send(client, FACT)
    assert answer.status_code == 403
    assert not Event.objects.exists()


def test_a_token_that_may_only_send_sees_its_own_events_only(sending, call_as, reader):
    mine = send(sending, FACT).json()
    others = send(call_as("events"), {**FACT, "external_id": "d-2"}).json()
    assert sending.get(mine["url"]).status_code == 200
    assert sending.get(others["url"]).status_code == 404
    assert [row["id"] for row in sending.get("/api/v1/events").json()["results"]] == [mine["event"]]
    assert len(reader.get("/api/v1/events").json()["results"]) == 2


def test_events_are_listed_by_their_state(sending, reader):
    event = send(sending, FACT).json()["event"]
    send(sending, {**FACT, "external_id": "d-2"})
    process_event(event, at=NOW)
    found = reader.get("/api/v1/events", {"state": "unmapped"}).json()["results"]
    assert [row["id"] for row in found] == [event]


def test_the_bytes_of_an_event_are_not_shown(sending, reader):
    told = reader.get(send(sending, FACT).json()["url"]).json()
    assert "body" not in told
    assert "headers" not in told


def test_observations_go_the_way_of_events(sending):
    make_service()
    make_environments()
    seen = {
        "service": "shipment-api",
        "environment": "production",
        "target": "eu-1",
        "digest": f"registry.example/shipment-api@{digest_of('a')}",
    }
    answer = sending.post("/api/v1/observations", [seen, {**seen, "target": "us-1"}], format="json")
    assert answer.status_code == 202
    process_event(answer.json()["event"], at=NOW)
    assert Event.objects.get().source == "generic"
    rows = Observation.objects.order_by("target").values_list("target", "digest", "seen_at")
    assert list(rows) == [("eu-1", digest_of("a"), NOW), ("us-1", digest_of("a"), NOW)]


def test_the_same_inventory_later_is_another_observation(sending, time_machine):
    seen = {"service": "shipment-api", "environment": "dev", "digest": digest_of("a")}
    first = sending.post("/api/v1/observations", seen, format="json").json()
    time_machine.move_to(NOW + timedelta(minutes=1), tick=False)
    second = sending.post("/api/v1/observations", seen, format="json").json()
    assert second["event"] != first["event"]
    assert not second["duplicate"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"digest": "latest"}, "digest"),
        ({"service": ""}, "service"),
        ({"service": None}, "service"),
        ({"environment": None}, "environment"),
        ({"at": "2026-11-23T14:00:00"}, "at"),
    ],
)
def test_an_observation_that_cannot_be_used_is_refused_with_the_field(sending, change, place):
    seen = {"service": "shipment-api", "environment": "dev", "digest": digest_of("a"), **change}
    answer = sending.post("/api/v1/observations", seen, format="json")
    assert answer.status_code == 400
    assert f"[0].{place}" in answer.json()["detail"]
    assert not Event.objects.exists()


def test_an_observation_that_names_nothing_is_refused(sending):
    seen = {"environment": "dev", "digest": digest_of("a")}
    answer = sending.post("/api/v1/observations", seen, format="json")
    assert answer.status_code == 400
    assert "service" in answer.json()["detail"]


def test_an_image_is_enough_where_the_service_is_not_known(sending):
    make_service()
    make_environments()
    seen = {"name": "meridian/shipment-api", "environment": "dev", "digest": digest_of("a")}
    event = sending.post("/api/v1/observations", seen, format="json").json()["event"]
    process_event(event, at=NOW)
    assert Observation.objects.get().service.slug == "shipment-api"


def test_a_token_notes_its_use(call_as):
    token, text = make_token("read")
    APIClient(HTTP_AUTHORIZATION=f"Bearer {text}").get("/api/v1/services")
    token.refresh_from_db()
    assert token.last_used_at == NOW
