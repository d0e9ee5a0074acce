"""How times, spans, numbers and shares are written, the same on every page and in every message."""

from datetime import datetime, timedelta

NO_BREAK = "\u00a0"
MINUS = "\u2212"
NOT_MEASURED = "not measured"

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_DATES_AFTER = timedelta(days=14)
_SECOND_UNIT_BELOW = 10  # "12 d" says enough; "4 d 6 h" needs its hours
_FEWEST_FOR_PERCENT = 5
_FEWEST_FOR_DECIMAL = 200


def format_span(span: timedelta | float) -> str:
    """A duration (a timedelta, or seconds) in at most two units: 45 s, 2 h 40 min, 12 d."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    sign = MINUS if seconds < 0 else ""
    return sign + _in_units(abs(seconds))


def format_age(elapsed: timedelta) -> str:
    """Time gone by, coarser than a duration: from one minute up seconds are left out."""
    seconds = max(elapsed.total_seconds(), 0)
    return _in_units(seconds if seconds < 60 else seconds // 60 * 60)


def format_relative(at: datetime, now: datetime) -> str:
    """Under 14 days "2 h ago" or "in 4 h", else the day in the zone of `at`."""
    distance = now - at
    if abs(distance) >= _DATES_AFTER:
        return format_day(at, now)
    if abs(distance) < timedelta(seconds=5):
        return "just now"
    if distance < timedelta(0):
        return f"in {format_age(-distance)}"
    return f"{format_age(distance)} ago"


def format_day(at: datetime, now: datetime) -> str:
    """The day, "Tue 10 Nov", with the year when it is not that of `now`."""
    day = f"{at:%a} {at.day} {at:%b}"
    year = f" {at.year}" if at.year != now.astimezone(at.tzinfo).year else ""
    return (day + year).replace(" ", NO_BREAK)


def format_moment(at: datetime, *, exact: bool = False) -> str:
    """The whole time with its zone, "Mon 23 Nov 2026, 15:20 CET"; exact adds milliseconds."""
    clock = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}" if exact else f"{at:%H:%M}"
    return f"{at:%a} {at.day} {at:%b} {at.year}, {clock} {_zone_name(at)}"


def format_number(number: float, decimals: int | None = None) -> str:
    """A number with thousands grouped by a comma, a true minus, and a decimal where it has one."""
    if decimals is None:
        decimals = 0 if float(number).is_integer() else 1
    text = f"{number:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def format_percent(share: float | None, n: int | None = None, *, headline: bool = False) -> str:
    """A share between 0 and 1 as per cent, as honestly as n cases allow.

    Fewer than 5 cases are written "k of n". One decimal from 200 cases or as a headline,
    else none. A share that is not whole is never rounded to 0 or 100.
    """
    if share is None or n == 0:
        return NOT_MEASURED
    if n is not None and n < _FEWEST_FOR_PERCENT:
        return f"{round(share * n)} of {n}"
    decimals = 1 if headline or (n is not None and n >= _FEWEST_FOR_DECIMAL) else 0
    percent = round(share * 100, decimals)
    smallest = 10.0**-decimals
    if share < 1:
        percent = min(percent, 100 - smallest)
    if share > 0:
        percent = max(percent, smallest)
    return f"{percent:.{decimals}f}{NO_BREAK}%"


def format_points(difference: float) -> str:
    """The difference of two shares in percentage points, signed: +6.0 points."""
    text = format_number(difference * 100, 1)
    sign = "+" if difference > 0 and text != "0.0" else ""
    return f"{sign}{text}{NO_BREAK}points"


def _in_units(seconds: float) -> str:
    if 0 < seconds < 1:
        return f"{max(seconds, 0.1):.1f}{NO_BREAK}s" if seconds < 0.95 else f"1{NO_BREAK}s"
    index = next((i for i, (_, size) in enumerate(_UNITS) if seconds >= size), len(_UNITS) - 1)
    unit, size = _UNITS[index]
    two = index + 1 < len(_UNITS) and not (unit == "d" and seconds >= _SECOND_UNIT_BELOW * size)
    smallest = _UNITS[index + 1][1] if two else size
    rounded = round(seconds / smallest) * smallest
    if index and rounded >= _UNITS[index - 1][1]:
        return _in_units(rounded)  # 59.7 s is a minute, 23 h 59 min 40 s a day
    first, rest = divmod(rounded, size)
    parts = [f"{first}{NO_BREAK}{unit}"]
    if rest and two:
        parts.append(f"{rest // smallest}{NO_BREAK}{_UNITS[index + 1][0]}")
    return NO_BREAK.join(parts)


def _zone_name(at: datetime) -> str:
    name = at.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name
