"""Opsgenie webhooks; `updatedAt` is in nanoseconds, `createdAt` in milliseconds."""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .reading import Part
from .sender import Collector, Sender

_ACTIONS = {"create": "opened", "close": "resolved"}


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    action, alert = body["action"].word(), body["alert"]
    result = _ACTIONS.get(action)
    if result is None:
        return collector.leave_out(body["action"].text())
    return collector.add(
        Fact(
            kind="incident",
            name=alert["message"].text(),
            result=result,
            occurred_at=alert["createdAt" if result == "opened" else "updatedAt"].time(),
            external_id=alert["alertId"].text(),
            actor=alert["username"].text(),
            severity=alert["priority"].text(),
        )
    )


SOURCE = Sender(
    kind="opsgenie",
    title="Opsgenie",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
)
