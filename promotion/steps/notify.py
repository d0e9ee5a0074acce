"""The step notify: tells people, through a chat's incoming webhook or a signed one."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, timedelta
from typing import Any

import httpx
from django.conf import settings as configuration

from promotion.exceptions import InputError, ThroughlineError, UnreachableError
from promotion.integrity.calling import Answered, prove, read_answer
from promotion.integrity.connecting import find_connection
from promotion.integrity.outgoing import open_client
from promotion.models import Connection
from promotion.rules.settings import Problem, check_text, need_text, sets_of, unknown_keys

from .base import Outcome, StepContext, StepResult

CALL_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
FORMATS = ("webhook", "slack")
NOT_DONE = frozenset({408, 425, 429})


class MessageRefusedError(ThroughlineError):
    """The far side refused the message; nobody was told."""


class NotifyStep:
    """One message (for each target, where the text names {target}) to the connection `to`.

    The connection's setting `format` is webhook (the default: Standard Webhooks, signed) or slack
    (an incoming webhook that takes {"text": …}).
    """

    kind = "notify"
    title = "Notify"
    default_timeout: timedelta | None = timedelta(minutes=5)
    is_verification = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`to` is needed, `text` may be left out."""
        yield from unknown_keys(self.kind, settings, ("to", "text"))
        yield from need_text(settings, "to", what="the name of a connection")
        yield from check_text(settings, "text", what="the text of the message")

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'To releases'."""
        return f"To {sets_of(inputs)[0].get('to', '')}"

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: a signed webhook knows a repeat by its key, and a chat that shows it twice harms nothing."""
        return True

    def start(self, context: StepContext) -> StepResult:
        """Send; raises UnreachableError where another try may help, else InputError and other ThroughlineErrors.

        Never fails the promotion as a bad change: that nobody could be told says nothing of it.
        """
        each = sets_of(context.inputs)
        for one in each:
            _send(context, one)
        count = "" if len(each) == 1 else f" {len(each)} times"
        return StepResult(Outcome.SUCCEEDED, f"Told {each[0]['to']}{count}.")

    def look(self, context: StepContext) -> StepResult:
        """It never waits."""
        return self.start(context)


def _send(context: StepContext, inputs: Mapping[str, Any]) -> None:
    connection = find_connection(str(inputs["to"]), Connection.Kind.HTTP)
    target = inputs.get("target")
    key = f"{context.key}-{target}" if target else context.key
    body = json.dumps(_message(connection, context, inputs), ensure_ascii=False).encode()
    # A chat's address is its secret, and what signs is not for it.
    is_signed = connection.settings.get("format", FORMATS[0]) == "webhook"
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": key,
        **(prove(connection, key, context.at, body) if is_signed else {}),
    }
    try:
        with open_client(timeout=CALL_TIMEOUT) as client:
            request = client.build_request(
                "POST", connection.address, headers=headers, content=body
            )
            answer = read_answer(client, request)
    except httpx.HTTPError as error:
        raise UnreachableError(
            f"{connection.name} did not answer ({type(error).__name__}). It is told again with the same key."
        ) from error
    _check(connection, answer)


def _check(connection: Connection, answer: Answered) -> None:
    if 200 <= answer.status < 300:
        return
    if answer.status in NOT_DONE or answer.status >= 500:
        raise UnreachableError(
            f"{connection.name} answered {answer.status}. It is told again with the same key."
        )
    said = " ".join(answer.body[:200].decode(errors="replace").split())
    raise MessageRefusedError(
        f"{connection.name} refused the message with {answer.status}{': ' if said else ''}{said}."
        " Nobody was told. Correct the connection's address or credentials."
    )


def _message(
    connection: Connection, context: StepContext, inputs: Mapping[str, Any]
) -> Mapping[str, Any]:
    promotion, release = context.promotion, context.promotion.release
    url = f"{configuration.PUBLIC_URL}/promotions/{promotion.pk}/"
    text = inputs.get("text") or (
        f"{promotion.number}: {promotion.service.slug} {release.version} in {promotion.environment.name}."
    )
    form = connection.settings.get("format", FORMATS[0])
    if form == "slack":
        return {"text": f"{_escape(str(text))} <{url}|{promotion.number}>"}
    if form != "webhook":
        raise InputError(
            f"The connection {connection.name} has the format {str(form)[:40]!r}; webhook and slack"
            " are known. Nobody was told. Correct the connection."
        )
    return {
        "type": "promotion.notify",
        "timestamp": context.at.astimezone(UTC).isoformat(),
        "data": {
            "text": str(text),
            "url": url,
            "promotion": promotion.number,
            "service": promotion.service.slug,
            "version": release.version,
            "digests": {one.short_name: one.digest for one in release.artifacts.all()},
            "environment": promotion.environment.slug,
            "targets": [inputs["target"]] if "target" in inputs else context.step_run.targets,
        },
    }


def _escape(text: str) -> str:
    """The three signs that chat messages give a meaning to (api.slack.com/reference/surfaces/formatting)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
