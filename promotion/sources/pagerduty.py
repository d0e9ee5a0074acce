"""PagerDuty webhooks v3, and v2 and v1 (`messages[]`)."""

from .authentication import AnyOf, HexSignature
from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .reading import Part
from .results import INCIDENT_RESULTS
from .sender import Collector, Sender


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    if body["messages"].is_list:
        for message in body["messages"]:
            _read_message(message, collector)
        return None
    event = body["event"]
    result = _result(event["event_type"])
    if result is None:
        return collector.leave_out(event["event_type"].text())
    data = event["data"]
    return collector.add(
        Fact(
            kind="incident",
            service=data["service", "summary"].text(),
            name=data["title"].text(),
            result=result,
            occurred_at=event["occurred_at"].time(),
            external_id=data["id"].text(),
            url=data["html_url"].text(),
            actor=event["agent", "summary"].text(),
            severity=data["priority", "summary"].text() or data["urgency"].text(),
        )
    )


def _read_message(message: Part, collector: Collector) -> None:
    event = message["event"].text() or message["type"].text()
    result = _result(Part(event))
    if result is None:
        return collector.leave_out(event)
    incident = message["incident"] or message["data", "incident"]
    return collector.add(
        Fact(
            kind="incident",
            service=incident["service", "name"].text(),
            name=incident["title"].text() or incident["trigger_summary_data", "subject"].text(),
            result=result,
            occurred_at=message["created_on"].time(),
            external_id=incident["id"].text(),
            url=incident["html_url"].text(),
            severity=incident["priority", "summary"].text() or incident["urgency"].text(),
        )
    )


def _result(event: Part) -> str | None:
    subject, _, state = event.word().partition(".")
    return INCIDENT_RESULTS.get(state) if subject == "incident" else None


SOURCE = Sender(
    kind="pagerduty",
    title="PagerDuty",
    read=_read,
    scheme=AnyOf(
        (
            HexSignature("X-PagerDuty-Signature", prefix="v1=", several=True),
            SharedSecret(may_be_in_address=True),
        )
    ),
    marks=("X-PagerDuty-Signature",),
    identify=lambda body: (
        body["event", "id"].text() or body["messages", 0, "id"].text()
        if len(body["messages"]) < 2
        else None
    ),
)
