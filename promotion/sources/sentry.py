"""Sentry's integrations: issues, alerts on issues and alerts on metrics are incidents.

Format: docs.sentry.io, "Integration Platform", webhooks. An alert on an issue goes by the issue,
so that the issue's resolution ends it.
"""

from .authentication import HexSignature
from .base import Fact, Headers
from .reading import Part
from .sender import Collector, Sender

_ISSUE = {"created": "opened", "unresolved": "opened", "resolved": "resolved"}
_METRIC = {"critical": "opened", "warning": "opened", "resolved": "resolved"}


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    data, action = body["data"], body["action"].word()
    # The header tells when it was sent: an issue's own times are those of its errors.
    sent_at = Part(headers.get("Sentry-Hook-Timestamp"))
    resource = headers.get("Sentry-Hook-Resource", "")
    if data["issue"].is_object and action in _ISSUE:
        _read_issue(data["issue"], _ISSUE[action], body, sent_at, collector)
    elif data["metric_alert"].is_object and action in _METRIC:
        _read_metric(data, _METRIC[action], collector)
    elif data["event"].is_object and action == "triggered":
        _read_alert(data["event"], sent_at, collector)
    else:
        collector.leave_out(f"{resource} {action}".strip() or None)


def _read_issue(issue: Part, result: str, body: Part, sent_at: Part, collector: Collector) -> None:
    at = sent_at.time()
    if at is None and body["action"].word() == "created":
        at = issue["firstSeen"].time()
    collector.add(
        Fact(
            kind="incident",
            service=issue["project", "slug"].text(),
            name=issue["title"].text(),
            result=result,
            occurred_at=at,
            external_id=issue["id"].text(),
            url=issue["permalink"].text() or issue["web_url"].text(),
            actor=body["actor", "name"].text(),
            severity=issue["level"].text(),
        )
    )


def _read_alert(event: Part, sent_at: Part, collector: Collector) -> None:
    collector.add(
        Fact(
            kind="incident",
            service=event["project_slug"].text(),
            environment=event["environment"].exact(),
            version=event["release"].version(),
            name=event["title"].text(),
            result="opened",
            occurred_at=event["datetime"].time() or sent_at.time(),
            external_id=event["issue_id"].text(),
            url=event["web_url"].text(),
            severity=event["level"].text(),
        )
    )


def _read_metric(data: Part, result: str, collector: Collector) -> None:
    alert = data["metric_alert"]
    projects = alert["projects"]
    times = (alert["date_closed"], alert["date_started"])
    at = times[0].time() if result == "resolved" else times[1].time()
    collector.add(
        Fact(
            kind="incident",
            service=projects[0].text() if len(projects) == 1 else None,
            environment=alert["alert_rule", "environment"].exact(),
            name=data["description_title"].text() or alert["alert_rule", "name"].text(),
            result=result,
            occurred_at=at,
            external_id=alert["id"].text(),
            url=data["web_url"].text(),
            severity=None if result == "resolved" else alert["status"].text(),
        )
    )


SOURCE = Sender(
    kind="sentry",
    title="Sentry",
    read=_read,
    scheme=HexSignature("Sentry-Hook-Signature", prefix=""),
    marks=("Sentry-Hook-Resource", "Sentry-Hook-Signature"),
    delivery_headers=("Request-ID",),
)
