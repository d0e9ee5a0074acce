"""CloudEvents 1.0 as an envelope: structured (in the body) or binary (in the headers)."""

import base64
import binascii
from typing import NamedTuple

from .base import Headers
from .reading import Part


class Envelope(NamedTuple):
    """A CloudEvent taken apart."""

    type: str
    data: Part
    time: Part


def open_envelope(body: Part, headers: Headers) -> Envelope | None:
    """The CloudEvent that an element is (structured) or is the data of (binary), if either."""
    if body["specversion"].text() and body["type"].text():
        data = body["data"].parsed()
        if not data and (encoded := body["data_base64"].text()):
            data = decode_data(encoded)
        return Envelope(body["type"].text() or "", data, body["time"])
    if headers.get("Ce-Type") and headers.get("Ce-Specversion"):
        return Envelope(headers["Ce-Type"].strip(), body, Part(headers.get("Ce-Time")))
    return None


def decode_data(encoded: str) -> Part:
    """What the JSON in Base64 says; absent if it is neither."""
    try:
        return Part(base64.b64decode(encoded, validate=True).decode()).parsed()
    except (binascii.Error, ValueError):
        return Part(None)


def identify(body: Part) -> str | None:
    """A CloudEvent is one event by source and id together (CloudEvents 1.0, "id")."""
    if not body["specversion"].text():
        return None
    identity, source = body["id"].text(), body["source"].text()
    return f"{source}#{identity}" if identity and source else None
