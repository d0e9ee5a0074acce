"""The distribution registry's notifications, and Azure Container Registry, which sends them bare.

Format: distribution.github.io, "Work with notifications".
"""

import re

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .reading import Part
from .sender import Collector, Sender

_MANIFEST = re.compile(r"\.manifest\.|\.image\.index\.", re.IGNORECASE)


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    if not body["events"].is_list:
        return _read_event(body, collector)
    for number, event in enumerate(body["events"], start=1):
        if event.is_object:
            _read_event(event, collector)
        else:
            collector.note(f"Event {number} is not a JSON object; it was left out.")
    return None


def _read_event(event: Part, collector: Collector) -> None:
    action, target = event["action"].word(), event["target"]
    if action != "push":
        return collector.leave_out(action or None, "only a push makes an artifact")
    media_type, url = target["mediaType"].text(), target["url"].text()
    is_blob = not _MANIFEST.search(media_type) if media_type else "/blobs/" in (url or "")
    if is_blob:
        return collector.leave_out("push", "it is a layer or other blob, not a manifest or index")
    details = {"media_type": media_type, "platforms": _platforms(target["references"])}
    collector.add(
        Fact(
            kind="artifact",
            name=target["repository"].text(),
            version=target["tag"].version(),
            digest=target["digest"].digest(),
            occurred_at=event["timestamp"].time(),
            url=url,
            actor=event["actor", "name"].text(),
            details={key: value for key, value in details.items() if value},
        )
    )
    return None


def _platforms(references: Part) -> list[str]:
    """The manifests that an index pushed refers to; what else it refers to are layers."""
    told = [
        one["digest"].digest() for one in references if _MANIFEST.search(one["mediaType"].word())
    ]
    return [digest for digest in told if digest]


def _identify(body: Part) -> str | None:
    event = body["events", 0] if len(body["events"]) == 1 else body
    return event["id"].text()


SOURCE = Sender(
    kind="registry",
    title="OCI registry",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
    identify=_identify,
)
