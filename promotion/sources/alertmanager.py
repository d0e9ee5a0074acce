"""Prometheus Alertmanager; each alert of a notification is an incident of its own."""

import hashlib
import json

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .reading import Part
from .results import INCIDENT_RESULTS
from .sender import Collector, Sender


def read_alerts(body: Part, collector: Collector) -> None:
    """Turn each alert into an incident; Grafana from 8 on sends the same."""
    if not len(body["alerts"]):
        return collector.leave_out(None, "it holds no alert")
    for alert in body["alerts"]:
        _read_alert(body, alert, collector)
    if body["truncatedAlerts"].text() not in {None, "0"}:
        collector.note("The sender cut off some alerts; they became nothing.")
    return None


def _read_alert(body: Part, alert: Part, collector: Collector) -> None:
    result = INCIDENT_RESULTS.get(alert["status"].word() or body["status"].word())
    if result is None or not alert.is_object:
        return collector.leave_out("of an alert", "it is neither firing nor resolved")
    labels = alert["labels"]
    started_at = alert["startsAt"]
    mark = alert["fingerprint"].text() or _fingerprint(labels)
    # The same rule may fire again: the start tells one incident from the next.
    parts = [one for one in (mark, started_at.text()) if one]
    return collector.add(
        Fact(
            kind="incident",
            service=labels["service"].text(),
            environment=labels["environment"].exact(),
            name=labels["alertname"].text(),
            result=result,
            occurred_at=(started_at if result == "opened" else alert["endsAt"]).time(),
            external_id=":".join(parts) if mark else None,
            url=alert["generatorURL"].text(),
            severity=labels["severity"].text(),
        )
    )


def _fingerprint(labels: Part) -> str | None:
    """Before 0.19 there was none; the labels are what makes an alert that alert."""
    texts = {key: labels[key].text() for key in labels.names()}
    if not texts:
        return None
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:16]


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    read_alerts(body, collector)


SOURCE = Sender(
    kind="alertmanager",
    title="Alertmanager",
    read=_read,
    scheme=SharedSecret(),
)
