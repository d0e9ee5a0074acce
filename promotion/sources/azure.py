"""Azure: alerts of metrics and web tests, alerts in the common schema, and deployments of App Service (Kudu)."""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import best_commit
from .reading import Part
from .results import finish, result_of
from .sender import Collector, Sender

_ALERTS = {"activated": "opened", "resolved": "resolved"}


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    # Newer metric alerts wrap the same content in `data`.
    alert = body["data"] if body["data", "context"].is_object else body
    if alert["context"].is_object:
        _read_alert(alert, collector)
    elif body["data", "essentials"].is_object:
        _read_common_alert(body["data", "essentials"], collector)
    elif body.has("siteName") or body.has("deployer"):
        _read_deployment(body, collector)
    else:
        collector.leave_out(body["schemaId"].text() or body["eventType"].text())


def _read_alert(alert: Part, collector: Collector) -> None:
    result = _ALERTS.get(alert["status"].word())
    if result is None:
        return collector.leave_out("of an alert", "it is neither activated nor resolved")
    context = alert["context"]
    collector.add(
        Fact(
            kind="incident",
            name=context["name"].text(),
            result=result,
            occurred_at=context["timestamp"].time(),
            external_id=context["id"].text(),
            url=context["portalLink"].text(),
            severity=context["severity"].text(),
        )
    )
    return None


def _read_common_alert(alert: Part, collector: Collector) -> None:
    """The common alert schema: one for all kinds of alerts, each firing with an id of its own."""
    result = {"fired": "opened", "resolved": "resolved"}.get(alert["monitorCondition"].word())
    if result is None:
        return collector.leave_out("of an alert", "it is neither fired nor resolved")
    items = alert["configurationItems"]
    column = "resolvedDateTime" if result == "resolved" else "firedDateTime"
    collector.add(
        Fact(
            kind="incident",
            service=items[0].text() if len(items) == 1 else None,
            name=alert["alertRule"].text(),
            result=result,
            occurred_at=alert[column].time(),
            external_id=alert["alertId"].text() or alert["originAlertId"].text(),
            url=alert["investigationLink"].text(),
            severity=alert["severity"].text(),
        )
    )
    return None


def _read_deployment(body: Part, collector: Collector) -> None:
    result = result_of(body["status"])
    if result is None:
        return collector.leave_out("of a deployment", "its status is none of a deployment")
    ended_at = body["endTime"].time()
    collector.add(
        Fact(
            kind="deployment",
            service=body["siteName"].text(),
            commit=best_commit(body["id"].value),
            result=result,
            started_at=body["startTime"].time(),
            finished_at=finish(result, ended_at),
            occurred_at=ended_at or body["startTime"].time() or body["receivedTime"].time(),
            external_id=body["id"].text(),
            actor=body["deployer"].text(),
        )
    )
    return None


SOURCE = Sender(
    kind="azure",
    title="Azure",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
)
