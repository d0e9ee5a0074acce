"""Our own facts in JSON: one object, a list, one a line, or as data of CloudEvents.

{"kind": "deployment", "service": "shop", "environment": "production",
 "digest": "sha256:…", "result": "succeeded", "finished_at": "2026-03-02T09:05:01Z"}

An evidence file may come along: {"kind": "evidence", "digest": "sha256:…", "content": {…}}.
"""

from .authentication import AnyOf
from .authentication_tokens import SharedSecret, StandardWebhooks
from .base import Headers
from .cloudevents import read_envelope
from .envelopes import identify, open_envelope
from .evidence import read_carried
from .generic_facts import read_fact
from .reading import Part
from .sender import Collector, Sender


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    place = f"Element {collector.element}"
    if body["kind"].word() == "evidence" and body["content"].is_object:
        return read_carried(body, collector)
    if body["kind"]:
        return read_fact(body, collector, place)
    envelope = open_envelope(body, headers)
    if envelope is not None:
        return read_envelope(envelope, collector, place)
    return read_fact(body, collector, place)


SOURCE = Sender(
    kind="generic",
    title="Our own JSON",
    read=_read,
    scheme=AnyOf((SharedSecret(), StandardWebhooks())),
    delivery_headers=("webhook-id", "Idempotency-Key"),
    identify=identify,
)
