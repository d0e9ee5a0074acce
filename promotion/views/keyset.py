"""Lists are paged by the last row shown, so that a page costs the same wherever it lies."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

Row = TypeVar("Row", bound=Model)
LONGEST_FILTER = 200


@dataclass(frozen=True, slots=True)
class Slice(Generic[Row]):
    """The rows of one page, where the next begins ("" = nowhere), and whether it is the first."""

    rows: list[Row]
    next_cursor: str
    is_first: bool


def take_slice(rows: "QuerySet[Row]", time: str, cursor: str, *, size: int = 50) -> "Slice[Row]":
    """Newest first by a column of times, the key breaking ties; a cursor nobody made is the first page."""
    begin = _read(cursor)
    if begin is not None:
        at, key = begin
        rows = rows.filter(Q(**{f"{time}__lt": at}) | Q(**{time: at, "pk__lt": key}))
    found = list(rows.order_by(f"-{time}", "-pk")[: size + 1])
    more = len(found) > size
    shown = found[:size]
    last = f"{getattr(shown[-1], time).isoformat()}~{shown[-1].pk}" if more else ""
    return Slice(shown, last, begin is None)


def asked(request: HttpRequest, name: str) -> str:
    """A filter of the address: trimmed, cut, and without what a database cannot hold."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:LONGEST_FILTER]


def _read(cursor: str) -> tuple[datetime, int] | None:
    moment, _, key = cursor.replace(" ", "+").partition("~")
    try:
        at = parse_datetime(moment)
    except ValueError:
        return None
    is_key = key.isascii() and key.isdecimal() and len(key) < 19
    return (at, int(key)) if at is not None and at.tzinfo is not None and is_key else None


def take_by_key(rows: "QuerySet[Row]", cursor: str, *, size: int = 50) -> "Slice[Row]":
    """Newest first by the key alone: the order in which the rows were written."""
    is_key = cursor.isascii() and cursor.isdecimal() and len(cursor) < 19
    if is_key:
        rows = rows.filter(pk__lt=int(cursor))
    found = list(rows.order_by("-pk")[: size + 1])
    shown = found[:size]
    return Slice(shown, str(shown[-1].pk) if len(found) > size else "", not is_key)
