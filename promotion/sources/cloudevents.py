"""CloudEvents 1.0, structured, binary and in batches: CDEvents, and our own facts, as their data.

`throughline.<kind>` is the type of a CloudEvent whose data is one of our facts.
"""

from .authentication import AnyOf
from .authentication_tokens import SharedSecret, StandardWebhooks
from .base import Headers
from .cdevents import PREFIX as CDEVENTS_PREFIX
from .cdevents import read_cdevent
from .envelopes import Envelope, identify, open_envelope
from .generic_facts import read_fact
from .reading import Part
from .sender import Collector, Sender

OWN_PREFIX = "throughline."


def read_envelope(envelope: Envelope, collector: Collector, place: str) -> None:
    """Turn the data of a CloudEvent into facts; a type that is neither becomes nothing."""
    if envelope.type.startswith(CDEVENTS_PREFIX):
        read_cdevent(envelope.data, collector, envelope.type)
    elif envelope.type.startswith(OWN_PREFIX):
        kind = envelope.type.removeprefix(OWN_PREFIX).partition(".")[0]
        read_fact(envelope.data, collector, place, kind=kind, occurred=envelope.time)
    else:
        collector.leave_out(envelope.type, "its type is neither a CDEvent nor a fact of ours")


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    envelope = open_envelope(body, headers)
    if envelope is None:
        return collector.note("An element without specversion and type is no CloudEvent.")
    return read_envelope(envelope, collector, "The CloudEvent")


SOURCE = Sender(
    kind="cloudevents",
    title="CloudEvents",
    read=_read,
    scheme=AnyOf((StandardWebhooks(), SharedSecret(may_be_in_address=True))),
    marks=("Ce-Type",),
    delivery_headers=("webhook-id",),
    identify=identify,
)
