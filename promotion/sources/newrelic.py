"""New Relic: workflows of issues, and the older notification channels of incidents."""

from datetime import datetime

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .reading import Part
from .results import INCIDENT_RESULTS
from .sender import Collector, Sender


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    state = body["state"].word() or body["current_state"].word()
    result = INCIDENT_RESULTS.get(state)
    if result is None:
        return collector.leave_out(state or None)
    return collector.add(
        Fact(
            kind="incident",
            name=body["title", 0].text()
            or body["title"].text()
            or body["condition_name"].text()
            or body["details"].text(),
            result=result,
            occurred_at=_occurred_at(body, result),
            external_id=body["id"].text() or body["issueId"].text() or body["incident_id"].text(),
            url=body["issueUrl"].text() or body["incident_url"].text(),
            severity=body["priority"].text() or body["severity"].text(),
        )
    )


def _occurred_at(body: Part, result: str) -> datetime | None:
    if result == "opened":
        names = ("activatedAt", "createdAt", "timestamp")
    else:
        names = (
            "closedAt",
            "timestamp",
            "updatedAt",
        )  # createdAt is when it was opened
    return next((at for name in names if (at := body[name].time())), None)


SOURCE = Sender(
    kind="newrelic",
    title="New Relic",
    read=_read,
    scheme=SharedSecret(("Authorization", "X-Api-Key"), may_be_in_address=True),
)
