"""Sending a message to a chat or a webhook: the one place it is done, for steps and notifications."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from promotion.exceptions import ThroughlineError, UnreachableError
from promotion.integrity.calling import Answered, read_answer
from promotion.integrity.outgoing import open_client

CALL_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
NOT_DONE = frozenset({408, 425, 429})


class MessageRefusedError(ThroughlineError):
    """The far side refused the message; nobody was told."""


def encode_message(message: Mapping[str, Any]) -> bytes:
    """The body, as it is signed and sent."""
    return json.dumps(message, ensure_ascii=False).encode()


def post_message(
    name: str, address: str, *, key: str, body: bytes, headers: Mapping[str, str]
) -> Answered:
    """POST the body under a key that is the same for every try; `headers` prove who we are.

    `name` is the far side's in sentences. Raises UnreachableError where another try may help, else
    MessageRefusedError and AddressRefusedError.
    """
    sent = {"Content-Type": "application/json", "Idempotency-Key": key, **headers}
    try:
        with open_client(timeout=CALL_TIMEOUT) as client:
            answer = read_answer(
                client, client.build_request("POST", address, headers=sent, content=body)
            )
    except httpx.HTTPError as error:
        raise UnreachableError(
            f"{name} did not answer ({type(error).__name__}). It is told again with the same key."
        ) from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise MessageRefusedError(
            f"The address of {name} cannot be called. Nobody was told. Correct the address."
        ) from error
    _check(name, answer)
    return answer


def write_chat_message(text: str, url: str, label: str) -> dict[str, str]:
    """What a Slack-compatible incoming webhook takes: the text, and a link to the page."""
    return {"text": f"{_escape(text)} <{url}|{_escape(label)}>"}


def _check(name: str, answer: Answered) -> None:
    if 200 <= answer.status < 300:
        return
    if answer.status in NOT_DONE or answer.status >= 500:
        raise UnreachableError(
            f"{name} answered {answer.status}. It is told again with the same key."
        )
    said = " ".join(answer.body[:200].decode(errors="replace").replace("\x00", "").split())
    raise MessageRefusedError(
        f"{name} refused the message with {answer.status}{': ' if said else ''}{said}."
        " Nobody was told. Correct the connection's address or credentials."
    )


def _escape(text: str) -> str:
    """The three signs that chat messages give a meaning to (api.slack.com/reference/surfaces/formatting)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
