"""Sonatype Nexus Repository: webhooks of components."""

from .authentication import HexSignature
from .base import Fact, Headers
from .reading import Part
from .sender import Collector, Sender


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    component, action = body["component"], body["action"].word()
    if not component.is_object or action not in {"created", "updated"}:
        return collector.leave_out(headers.get("X-Nexus-Webhook-ID") or action or None)
    details = {
        "group": component["group"].text(),
        "format": component["format"].text(),
        "repository_key": body["repositoryName"].text(),
    }
    collector.add(
        Fact(
            kind="artifact",
            name=component["name"].text(),
            version=component["version"].version(),
            occurred_at=body["timestamp"].time(),
            external_id=component["componentId"].text() or component["id"].text(),
            actor=body["initiator"].text(),
            details={key: value for key, value in details.items() if value},
        )
    )
    return None


SOURCE = Sender(
    kind="nexus",
    title="Nexus Repository",
    read=_read,
    scheme=HexSignature("X-Nexus-Webhook-Signature", prefix="", algorithm="sha1"),
    marks=("X-Nexus-Webhook-ID",),
    delivery_headers=("X-Nexus-Webhook-Delivery",),
)
