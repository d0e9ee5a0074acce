"""Reading what lists hold, and making deliveries of it that are the same each time."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from promotion.exceptions import InputError
from promotion.sources.base import Delivery
from promotion.sources.times import clean_time, format_time

from .fetching import RefusedError


def make_delivery(payload: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Delivery:
    """The delivery as the tool would have sent it; the same content gives the same bytes, so what is
    listed again is known by their hash, and what changed meanwhile is told again.
    """
    body = json.dumps(payload, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    return Delivery(body=body, headers=headers or {}, content_type="application/json")


def rows_of(document: Any, *path: str) -> list[dict[str, Any]]:
    """The objects of a list in an answer; raises RefusedError where there is no list."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    if not isinstance(document, list):
        raise RefusedError(
            "The answer holds no list where one was expected. Nothing of it was taken in."
            " Check the connection's address: it is that of the API."
        )
    return [one for one in document if isinstance(one, dict)]


def dig(document: Any, *path: str) -> Any:
    """What is found along the names, None where one is missing."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def text_of(value: Any) -> str:
    """Text of text or a number, else nothing."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def is_before(value: Any, since: datetime | None) -> bool:
    """Whether a time is before the first that is wanted; one that cannot be read is not."""
    at = clean_time(value)
    return since is not None and at is not None and at < since


def moment(milliseconds: Any) -> str | None:
    """RFC 3339 of milliseconds since 1970, None where that is no such number."""
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        return None
    try:
        return format_time(datetime.fromtimestamp(milliseconds / 1000, UTC))
    except (OverflowError, OSError, ValueError):
        return None


def path_part(text: str) -> str:
    """A name as one part of an address; raises InputError where it would lead elsewhere."""
    if text.strip(".") == "":
        raise InputError(f"{text!r} is no name of anything that is listed. Nothing was taken in.")
    return quote(text, safe="")
