"""Squadcast webhooks v2."""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .reading import Part
from .results import INCIDENT_RESULTS
from .sender import Collector, Sender


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    event, incident = body["event"], body["data", "resource_data"]
    subject, _, state = event["type"].word().partition(".")
    result = INCIDENT_RESULTS.get(state) if subject == "incident" else None
    if result is None:
        return collector.leave_out(event["type"].text())
    return collector.add(
        Fact(
            kind="incident",
            service=incident["service", "name"].text(),
            name=incident["message"].text(),
            result=result,
            occurred_at=event["timestamp"].time(),
            external_id=incident["id"].text(),
            url=incident["url"].text(),
        )
    )


SOURCE = Sender(
    kind="squadcast",
    title="Squadcast",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
    identify=lambda body: body["event", "id"].text(),
)
