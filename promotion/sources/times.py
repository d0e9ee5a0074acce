"""Reads the ways senders write a time; a time without a zone is UTC, a zero date is none."""

import math
import re
from datetime import UTC, datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)

_NUMERIC = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)[Tt_ ]\s*(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
    r"\s*(Z|z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?(?:\s*UTC)?(?:\s+m=.*)?",
    re.ASCII,
)
_WRITTEN_OUT = re.compile(
    r"([A-Za-z]{3})[a-z]*\.?\s+(\d\d?),?\s+(\d{4}),?\s+(\d\d?):(\d\d):(\d\d)\s*([AaPp][Mm])?"
    r"\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_MAIL = re.compile(
    r"(?:[A-Za-z]{3},?\s+)?(\d\d?)\s+([A-Za-z]{3})\s+(\d{4})\s+(\d\d?):(\d\d):(\d\d)"
    r"\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?", re.ASCII)

# One unit below, the next is assumed from here on: 1e11 seconds is the year 5138.
_UNITS = ((1e11, 1), (1e14, 10**3), (1e17, 10**6), (1e20, 10**9))


def clean_time(value: object) -> datetime | None:
    """The instant in UTC that a text or number says, or None if it says none."""
    at: datetime | None = None
    try:
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            at = _from_number(value)
        elif isinstance(value, str) and len(value) <= 100:
            at = _from_text(value.strip())
    except (ValueError, OverflowError):
        return None
    if at is None or at.year <= 1 or at == _EPOCH:
        return None  # the zero date of Go, and that of C
    return at


def format_time(at: datetime) -> str:
    """RFC 3339 in UTC, with as many digits of a second as are needed."""
    text = at.astimezone(UTC).isoformat(timespec="microseconds" if at.microsecond else "seconds")
    return text.removesuffix("+00:00") + "Z"


def _from_number(number: float) -> datetime | None:
    if isinstance(number, float) and not math.isfinite(number):
        return None
    for limit, per_second in _UNITS:
        if abs(number) < limit:
            if isinstance(number, float):
                return _EPOCH + timedelta(seconds=number / per_second)
            seconds, rest = divmod(number, per_second)
            return _EPOCH + timedelta(seconds=seconds, microseconds=rest * 10**6 // per_second)
    return None


def _from_text(text: str) -> datetime | None:
    if match := _NUMERIC.fullmatch(text):
        year, month, day, hour, minute, second, fraction, zone = match.groups()
        return _at(year, month, day, hour, minute, second, zone, fraction)
    if match := _WRITTEN_OUT.fullmatch(text):
        month, day, year, hour, minute, second, half, zone = match.groups()
        if half:
            hour = str(int(hour) % 12 + (12 if half.lower() == "pm" else 0))
        return _at(year, _month(month), day, hour, minute, second, zone)
    if match := _MAIL.fullmatch(text):
        day, month, year, hour, minute, second, zone = match.groups()
        return _at(year, _month(month), day, hour, minute, second, zone)
    if _NUMBER.fullmatch(text):
        return _from_number(float(text) if "." in text else int(text))
    return None


def _month(name: str) -> str:
    return str(_MONTHS.index(name.lower()) + 1)


def _at(
    year: str,
    month: str,
    day: str,
    hour: str,
    minute: str,
    second: str | None,
    zone: str | None,
    fraction: str | None = None,
) -> datetime:
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    whole = min(int(second or 0), 59)  # a leap second has no number of its own here
    at = datetime(
        int(year),
        int(month),
        int(day),
        int(hour),
        int(minute),
        whole,
        microsecond,
        _zone(zone),
    )
    return at.astimezone(UTC)


def _zone(text: str | None) -> timezone:
    if not text or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
