"""The step http against a real server: signed, with one key, and honest about what it cannot know."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from promotion.exceptions import InputError, UnreachableError
from promotion.integrity.outgoing import AddressRefusedError
from promotion.models import Promotion
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
from tests.parts.recording_server import Answer, Asked, RecordingServer, run_recording_server
from tests.steps.contexts import make_context

pytestmark = pytest.mark.django_db

STEP = STEPS["http"]
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()


@pytest.fixture
def promotion(settings) -> Promotion:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    release = make_release(make_service())
    return make_promotion(
        release, make_environments()["production"], state=State.RUNNING, started_at=NOW
    )


@contextmanager
def answering(status: int, body: bytes = b"", **headers: str) -> Iterator[RecordingServer]:
    with run_recording_server(lambda asked: Answer(status, headers, body)) as server:
        yield server


def call(promotion: Promotion, **inputs: Any) -> StepResult:
    return STEP.start(make_context(promotion, "http", inputs))


def test_it_says_what_is_promoted_and_signs_it_by_standard_webhooks(promotion: Promotion) -> None:
    with answering(202, b'{"ok": true}') as server:
        make_connection("deployer", "http", server.base_url + "/base/", secret=SECRET)
        context = make_context(
            promotion, "http", {"connection": "deployer", "path": "deploy"}, targets=("eu-1",)
        )
        result = STEP.start(context)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/base/deploy")
    assert json.loads(asked.body) == {
        "promotion": promotion.number,
        "service": "shipment-api",
        "version": "4.18.0",
        "digests": {"shipment-api": promotion.release.digests[0]},
        "environment": "production",
        "targets": ["eu-1"],
    }
    assert asked.headers["idempotency-key"] == asked.headers["webhook-id"] == context.key
    timestamp = asked.headers["webhook-timestamp"]
    assert timestamp == str(int(NOW.timestamp()))
    signed = f"{context.key}.{timestamp}.".encode() + asked.body
    expected = base64.b64encode(
        hmac.new(b"0123456789abcdef", signed, hashlib.sha256).digest()
    ).decode()
    assert asked.headers["webhook-signature"] == f"v1,{expected}"
    assert result.outcome is Outcome.SUCCEEDED
    assert result.output["calls"] == [{"status": 202, "answer": '{"ok": true}'}]


def test_every_attempt_carries_the_same_key(promotion: Promotion) -> None:
    with answering(200) as server:
        context = make_context(promotion, "http", {"url": server.base_url})
        STEP.start(context)
        STEP.start(context)
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 1


def test_each_target_is_called_with_a_key_of_its_own(promotion: Promotion) -> None:
    with answering(200) as server:
        each = [
            {"url": f"{server.base_url}/{target}", "target": target} for target in ("eu-1", "us-1")
        ]
        call(promotion, per_target=each)
    assert [asked.path for asked in server.asked] == ["/eu-1", "/us-1"]
    assert [asked.headers["idempotency-key"].rpartition("s0-")[2] for asked in server.asked] == [
        "eu-1",
        "us-1",
    ]
    assert [json.loads(asked.body)["targets"] for asked in server.asked] == [["eu-1"], ["us-1"]]


def test_method_body_and_headers_can_be_given(promotion: Promotion) -> None:
    with answering(200) as server:
        call(
            promotion,
            url=server.base_url,
            method="PUT",
            body={"image": "x@y"},
            headers={"X-Team": "shipping"},
        )
    (asked,) = server.asked
    assert (asked.method, json.loads(asked.body), asked.headers["x-team"]) == (
        "PUT",
        {"image": "x@y"},
        "shipping",
    )
    assert "webhook-signature" not in asked.headers


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("bearer", "Bearer t0ken"), ("basic", "Basic " + base64.b64encode(b"robot:t0ken").decode())],
)
def test_a_connection_may_ask_for_a_token_or_a_password_instead_of_a_signature(
    promotion: Promotion, kind: str, expected: str
) -> None:
    with answering(200) as server:
        make_connection(
            "ci",
            "http",
            server.base_url,
            username="robot",
            secret="t0ken",
            settings={"authorization": kind},
        )
        call(promotion, connection="ci")
    assert server.asked[0].headers["authorization"] == expected
    assert "webhook-signature" not in server.asked[0].headers


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_go_better_next_time_is_worth_another_try(
    promotion: Promotion, status: int
) -> None:
    with answering(status) as server, pytest.raises(UnreachableError) as caught:
        call(promotion, url=server.base_url)
    assert caught.value.retryable


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_fails_and_keeps_what_was_said(promotion: Promotion, status: int) -> None:
    with answering(status, b"no such image") as server:
        result = call(promotion, url=server.base_url)
    assert result.outcome is Outcome.FAILED
    assert str(status) in result.message
    assert "no such image" in result.message


def test_an_expected_status_is_success_and_then_no_other_is(promotion: Promotion) -> None:
    with answering(409) as server:
        assert call(promotion, url=server.base_url, expect=[200, 409]).outcome is Outcome.SUCCEEDED
    with answering(201) as server:
        assert call(promotion, url=server.base_url, expect=[200]).outcome is Outcome.FAILED


def test_a_redirect_is_not_followed(promotion: Promotion) -> None:
    with answering(307, Location="/other") as server:
        result = call(promotion, url=server.base_url)
    assert result.outcome is Outcome.FAILED
    assert "redirects are not followed" in result.message
    assert len(server.asked) == 1


def test_a_server_that_cannot_be_reached_is_worth_another_try(promotion: Promotion) -> None:
    with pytest.raises(UnreachableError):
        call(promotion, url="http://127.0.0.1:9/")


def cut_off(asked: Asked) -> Answer:
    """Promise more than is sent, so that the connection ends in the middle."""
    return Answer(200, {"Content-Length": "1000", "Connection": "close"}, b"half")


def test_an_answer_that_breaks_off_is_sent_again_with_the_same_key(promotion: Promotion) -> None:
    with run_recording_server(cut_off) as server, pytest.raises(UnreachableError):
        call(promotion, url=server.base_url)


def test_where_repeating_is_not_safe_an_unknown_outcome_asks_a_person(promotion: Promotion) -> None:
    with run_recording_server(cut_off) as server:
        result = call(promotion, url=server.base_url, repeatable=False)
    assert result.outcome is Outcome.UNKNOWN
    with answering(500) as server:
        assert call(promotion, url=server.base_url, repeatable=False).outcome is Outcome.UNKNOWN
    assert not STEP.repeat_is_safe({"repeatable": False})
    assert STEP.repeat_is_safe({})


def test_a_refusal_to_take_it_now_is_tried_again_even_where_repeating_is_not_safe(
    promotion: Promotion,
) -> None:
    with answering(429) as server, pytest.raises(UnreachableError):
        call(promotion, url=server.base_url, repeatable=False)


def test_a_private_address_is_not_called(promotion: Promotion, settings) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = []
    with answering(200) as server, pytest.raises(AddressRefusedError):
        call(promotion, url=server.base_url)
    assert server.asked == []


@pytest.mark.parametrize("path", ["../admin", "a/../../b", "a\\b"])
def test_a_path_does_not_leave_the_connections_address(promotion: Promotion, path: str) -> None:
    with answering(200) as server:
        make_connection("deployer", "http", server.base_url)
        with pytest.raises(InputError):
            call(promotion, connection="deployer", path=path)
    assert server.asked == []


def test_a_stop_asked_for_comes_before_the_next_call(promotion: Promotion) -> None:
    with answering(200) as server:
        each = [{"url": server.base_url, "target": target} for target in ("eu-1", "us-1")]
        context = make_context(promotion, "http", {"per_target": each}, should_stop=lambda: True)
        assert STEP.start(context).outcome is Outcome.WAITING
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "url"),
        ({"url": "https://a", "connection": "b"}, "url"),
        ({"url": "ftp://a"}, "url"),
        ({"url": "https://u:p@a/"}, "url"),
        ({"connection": "b", "path": "../x"}, "path"),
        ({"url": "https://a", "method": "GET"}, "method"),
        ({"url": "https://a", "body": "x"}, "body"),
        ({"url": "https://a", "expect": 200}, "expect"),
        ({"url": "https://a", "expect": [99]}, "expect"),
        ({"url": "https://a", "headers": {"Authorization": "x"}}, "headers.Authorization"),
        ({"url": "https://a", "headers": {"X": "a\nb"}}, "headers.X"),
        ({"url": "https://a", "repeatable": "no"}, "repeatable"),
        ({"url": "https://a", "retry": 1}, "retry"),
    ],
)
def test_bad_settings_are_named(settings: dict, key: str) -> None:
    assert key in [name for name, _ in STEP.problems_in(settings)]


def test_good_settings_have_no_problems() -> None:
    good = {
        "connection": "deployer",
        "path": "deploy/{target}",
        "body": {"d": "{digest}"},
        "expect": [200],
    }
    assert list(STEP.problems_in(good)) == []
    assert STEP.describe(good) == "POST to deployer"
