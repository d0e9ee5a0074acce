"""The step notify against a real server, as a chat's webhook and as a signed one."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from promotion.exceptions import InputError, ThroughlineError, UnreachableError
from promotion.integrity.outgoing import AddressRefusedError
from promotion.models import Connection, Promotion
from promotion.rules.states import State
from promotion.steps.base import Outcome, StepResult
from promotion.steps.known import STEPS
from tests.factories import (
    NOW,
    make_connection,
    make_environments,
    make_promotion,
    make_release,
    make_service,
)
from tests.parts.recording_server import Answer, RecordingServer, run_recording_server
from tests.steps.contexts import make_context

pytestmark = pytest.mark.django_db

STEP = STEPS["notify"]


@pytest.fixture
def promotion(settings) -> Promotion:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    settings.PUBLIC_URL = "https://throughline.example.com"
    release = make_release(make_service())
    return make_promotion(
        release, make_environments()["production"], state=State.RUNNING, started_at=NOW
    )


@contextmanager
def answering(status: int = 200, body: bytes = b"ok", **fields: Any) -> Iterator[RecordingServer]:
    with run_recording_server(lambda asked: Answer(status, {}, body)) as server:
        make_connection("releases", "http", f"{server.base_url}/T0/secret", **fields)
        yield server


def tell(promotion: Promotion, **inputs: Any) -> StepResult:
    return STEP.start(make_context(promotion, "notify", {"to": "releases", **inputs}))


def test_a_signed_webhook_is_told_what_and_can_check_it(promotion: Promotion) -> None:
    with answering(secret="hush") as server:
        result = tell(promotion)
    (asked,) = server.asked
    told = json.loads(asked.body)
    assert result.outcome is Outcome.SUCCEEDED
    assert told["type"] == "promotion.notify"
    assert told["data"]["text"] == f"{promotion.number}: shipment-api 4.18.0 in Production."
    assert told["data"]["digests"] == {"shipment-api": promotion.release.digests[0]}
    assert told["data"]["url"] == f"https://throughline.example.com/promotions/{promotion.pk}/"
    assert asked.headers["idempotency-key"] == asked.headers["webhook-id"]
    signed = f"{asked.headers['webhook-id']}.{int(NOW.timestamp())}.".encode() + asked.body
    expected = base64.b64encode(hmac.new(b"hush", signed, hashlib.sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{expected}"


def test_a_chat_gets_a_text_with_a_link_and_nothing_of_it_is_markup(promotion: Promotion) -> None:
    with answering(settings={"format": "slack"}, secret="hush") as server:
        tell(promotion, text="<!channel> 4.18.0 & more")
    (asked,) = server.asked
    assert json.loads(asked.body) == {
        "text": "&lt;!channel&gt; 4.18.0 &amp; more"
        f" <https://throughline.example.com/promotions/{promotion.pk}/|{promotion.number}>"
    }
    assert "webhook-signature" not in asked.headers


def test_every_attempt_carries_the_same_key(promotion: Promotion) -> None:
    with answering() as server:
        context = make_context(promotion, "notify", {"to": "releases"})
        STEP.start(context)
        STEP.start(context)
    keys = {asked.headers["idempotency-key"] for asked in server.asked}
    assert keys == {context.key}
    assert STEP.repeat_is_safe({})


def test_with_targets_each_has_a_message_and_a_key(promotion: Promotion) -> None:
    each = [{"to": "releases", "text": f"now {name}", "target": name} for name in ("eu", "us")]
    with answering() as server:
        result = STEP.start(make_context(promotion, "notify", {"per_target": each}))
    assert result.message == "Told releases 2 times."
    assert [json.loads(asked.body)["data"]["targets"] for asked in server.asked] == [["eu"], ["us"]]
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 2


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_was_not_taken_is_told_again(promotion: Promotion, status: int) -> None:
    with answering(status), pytest.raises(UnreachableError, match=f"answered {status}"):
        tell(promotion)
    Connection.objects.update(address="http://127.0.0.1:9/")
    with pytest.raises(UnreachableError, match="did not answer"):
        tell(promotion)


def test_a_refusal_is_an_error_of_ours_and_its_sentence_holds_no_address(
    promotion: Promotion,
) -> None:
    with answering(404, b"no_service"), pytest.raises(ThroughlineError, match="no_service") as told:
        tell(promotion)
    assert not told.value.retryable
    assert "secret" not in told.value.sentence


def test_a_private_address_or_an_unknown_format_is_an_error(promotion: Promotion, settings) -> None:
    make_connection("releases", "http", "http://127.0.0.1:9/", settings={"format": "fax"})
    with pytest.raises(InputError, match="webhook and slack"):
        tell(promotion)
    Connection.objects.update(settings={})
    settings.ALLOWED_PRIVATE_NETWORKS = []
    with pytest.raises(AddressRefusedError):
        tell(promotion)


def test_settings_are_checked() -> None:
    assert list(STEP.problems_in({"to": "releases", "text": "{version} is there"})) == []
    assert [key for key, _ in STEP.problems_in({})] == ["to"]
    assert [key for key, _ in STEP.problems_in({"to": "a", "text": 1, "at": 2})] == ["at", "text"]
    assert STEP.describe({"to": "releases"}) == "To releases"
