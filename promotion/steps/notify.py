"""The step notify: tells people, through a chat's incoming webhook or a signed one."""

from collections.abc import Iterable, Mapping
from datetime import UTC, timedelta
from typing import Any

from django.conf import settings as configuration

from promotion.exceptions import InputError
from promotion.integrity.calling import prove
from promotion.integrity.connecting import find_connection
from promotion.integrity.telling import encode_message, post_message, write_chat_message
from promotion.models import Connection
from promotion.rules.settings import Problem, check_text, need_text, sets_of, unknown_keys

from .base import Outcome, StepContext, StepResult

FORMATS = ("webhook", "slack")


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
    body = encode_message(_message(connection, context, inputs))
    # A chat's address is its secret, and what signs is not for it.
    is_signed = connection.settings.get("format", FORMATS[0]) == "webhook"
    proof = prove(connection, key, context.at, body) if is_signed else {}
    post_message(connection.name, connection.address, key=key, body=body, headers=proof)


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
        return write_chat_message(str(text), url, promotion.number)
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
