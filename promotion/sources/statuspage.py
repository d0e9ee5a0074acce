"""Statuspage: incidents of a page. Planned maintenance and the state of components are none."""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .reading import Part
from .sender import Collector, Sender

_STATUS = {
    "investigating": "opened",
    "identified": "opened",
    "monitoring": "opened",
    "resolved": "resolved",
    "postmortem": "resolved",
}


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    incident = body["incident"]
    if not incident.is_object:
        return collector.leave_out("of a component" if body["component"].is_object else None)
    result = _STATUS.get(incident["status"].word())
    if result is None:
        return collector.leave_out("of planned maintenance", "it is no incident")
    # Every update tells the incident whole; it was opened when it was made.
    opened_at, updated_at = incident["created_at"].time(), incident["updated_at"].time()
    resolved_at = incident["resolved_at"].time() or updated_at
    components = incident["components"]
    return collector.add(
        Fact(
            kind="incident",
            service=components[0, "name"].text() if len(components) == 1 else None,
            name=incident["name"].text(),
            result=result,
            occurred_at=resolved_at if result == "resolved" else opened_at or updated_at,
            external_id=incident["id"].text(),
            url=incident["shortlink"].text(),
            severity=incident["impact"].text(),
        )
    )


SOURCE = Sender(
    kind="statuspage",
    title="Statuspage",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
)
