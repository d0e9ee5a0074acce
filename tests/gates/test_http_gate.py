"""The http gate against a real server: signed, and open only where the service says so."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from promotion.exceptions import InputError
from promotion.gates.base import GateContext, GateOutcome, Verdict
from promotion.gates.known import GATES
from promotion.integrity.outgoing import AddressRefusedError
from promotion.models import Promotion
from tests.factories import (
    NOW,
    make_connection,
    make_environments,
    make_promotion,
    make_release,
    make_service,
)
from tests.parts.recording_server import Answer, RecordingServer, run_recording_server

pytestmark = pytest.mark.django_db

GATE = GATES["http"]


@pytest.fixture
def promotion(settings) -> Promotion:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    return make_promotion(make_release(make_service()), make_environments()["production"])


@contextmanager
def answering(body: object, status: int = 200) -> Iterator[RecordingServer]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with run_recording_server(lambda asked: Answer(status, {}, raw)) as server:
        yield server


def ask(promotion: Promotion, **settings: Any) -> GateOutcome:
    form = promotion.pipeline_version.form
    return GATE.evaluate(GateContext(promotion, form, form.stage(promotion.stage), settings, NOW))


@pytest.mark.parametrize("verdict", ["open", "waiting", "closed"])
def test_the_service_decides_and_its_reason_is_shown(promotion: Promotion, verdict: str) -> None:
    with answering({"verdict": verdict, "reason": "The board\nmet."}) as server:
        outcome = ask(promotion, url=server.base_url)
    assert (outcome.verdict, outcome.reason) == (verdict, "127.0.0.1: The board met.")
    assert (outcome.look_again_in is None) == (verdict == "open")
    assert GATE.is_costly


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"verdict": "open"}, 201),
        ({"verdict": "open"}, 302),
        ({"verdict": "open"}, 500),
        ({"verdict": "OPEN"}, 200),
        ({"verdict": ["open"]}, 200),
        ({"verdict": True}, 200),
        (["open"], 200),
        (b"open", 200),
        (b'{"verdict": "open", "reason": "' + b"x" * 1024 * 1024 + b'"}', 200),
        (b"[" * 100_000, 200),
    ],
    ids=str,
)
def test_anything_but_a_clear_answer_is_waited_for(
    promotion: Promotion, body: object, status: int
) -> None:
    with answering(body, status) as server:
        outcome = ask(promotion, url=server.base_url)
    assert outcome.verdict == Verdict.WAITING
    assert outcome.look_again_in is not None


def test_a_service_that_is_not_there_is_waited_for(promotion: Promotion) -> None:
    outcome = ask(promotion, url="http://127.0.0.1:9/")
    assert outcome.verdict == Verdict.WAITING
    assert "did not answer" in outcome.reason


def test_it_is_told_what_is_asked_about_and_can_check_the_signature(promotion: Promotion) -> None:
    with answering({"verdict": "open"}) as server:
        make_connection("board", "http", server.base_url, secret="hush")
        ask(promotion, connection="board", path="check/{service}")
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/check/shipment-api")
    told = json.loads(asked.body)
    assert told["content_hash"] == promotion.content_hash
    assert told["digests"] == {"shipment-api": promotion.release.digests[0]}
    signed = f"{asked.headers['webhook-id']}.{int(NOW.timestamp())}.".encode() + asked.body
    expected = base64.b64encode(hmac.new(b"hush", signed, hashlib.sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{expected}"


def test_a_private_address_or_an_unknown_connection_closes_it(
    promotion: Promotion, settings
) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = []
    with pytest.raises(AddressRefusedError):
        ask(promotion, url="http://127.0.0.1/")
    with pytest.raises(InputError, match="no connection"):
        ask(promotion, connection="nobody")


def test_settings_are_checked() -> None:
    assert list(GATE.problems_in({"url": "https://board.example.com/{service}"})) == []
    assert [key for key, _ in GATE.problems_in({})] == ["url"]
    wrong = {"url": "https://a", "body": {}, "headers": {"Authorization": "x"}}
    assert [key for key, _ in GATE.problems_in(wrong)] == ["body", "headers.Authorization"]
