"""RFC 5545 recurrence rules by day or longer, read strictly and expanded one year at a time.

dateutil decides which days of a year or month a rule names. It is asked for one such period at a
time, because over a rule that names no day at all (30 February) it would run until the year 9999.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any, Literal

from dateutil import rrule

from promotion.exceptions import InputError

_FREQUENCIES: dict[str, Literal[0, 1, 2, 3]] = {
    "DAILY": rrule.DAILY,
    "WEEKLY": rrule.WEEKLY,
    "MONTHLY": rrule.MONTHLY,
    "YEARLY": rrule.YEARLY,
}
_DAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_NUMBERS = {
    "BYMONTH": (1, 12, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYHOUR": (0, 23, False),
    "BYMINUTE": (0, 59, False),
    "BYSECOND": (0, 59, False),
    "BYSETPOS": (1, 366, True),
}
# Longer than the calendar, so that dateutil stops after the one period it was asked for.
_BEYOND_THE_CALENDAR = 120_000


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule as read; `until` is wall-clock time, or UTC where `until_is_instant`."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    until_is_instant: bool = False
    until_is_date: bool = False
    week_start: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()
    numbers: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def selected(self, part: str) -> tuple[int, ...]:
        """The numbers of one BY part; empty where the rule does not have it."""
        return dict(self.numbers).get(part, ())


@lru_cache(maxsize=1024)
def read_recurrence(text: str) -> Recurrence:
    """Read an RFC 5545 rule; InputError names the part that cannot be used."""
    values: dict[str, Any] = {}
    numbers: list[tuple[str, tuple[int, ...]]] = []
    seen: set[str] = set()
    for part in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, _, value = part.partition("=")
        if name in seen:
            raise InputError(f"The rule {text!r} says {name} twice; say it once.")
        seen.add(name)
        if name in _NUMBERS:
            numbers.append((name, _read_numbers(name, value, text)))
        else:
            values.update(_read_part(name, value, text))
    if "frequency" not in values:
        raise InputError(f"The rule {text!r} says no FREQ; add one, such as FREQ=WEEKLY.")
    if "count" in values and "until" in values:
        raise InputError(f"The rule {text!r} has both COUNT and UNTIL; keep one of them.")
    if values["frequency"] in ("DAILY", "WEEKLY") and any(n for _, n in values.get("weekdays", ())):
        raise InputError(f"The rule {text!r} numbers its days; that needs FREQ=MONTHLY or YEARLY.")
    return Recurrence(**values, numbers=tuple(numbers))


def _read_part(name: str, value: str, text: str) -> dict[str, Any]:
    if name == "FREQ" and value in _FREQUENCIES:
        return {"frequency": value}
    if name == "FREQ":
        raise InputError(
            f"The rule {text!r} has FREQ={value}; use DAILY, WEEKLY, MONTHLY or YEARLY."
        )
    if name in ("INTERVAL", "COUNT") and re.fullmatch(r"[1-9][0-9]{0,5}", value):
        return {name.lower(): int(value)}
    if name == "WKST" and value in _DAYS:
        return {"week_start": _DAYS[value]}
    if name == "UNTIL":
        return _read_until(value, text)
    if name == "BYDAY":
        return {"weekdays": tuple(_read_weekday(day, text) for day in value.split(","))}
    raise InputError(f"The rule {text!r} has the part {name}={value}, which cannot be used.")


def _read_until(value: str, text: str) -> dict[str, Any]:
    match = re.fullmatch(r"(\d{8})(?:T(\d{6})(Z?))?", value)
    try:
        if match is None:
            raise ValueError(value)
        # Wall-clock time: the zone is the window's.
        until = datetime.strptime(match[1] + (match[2] or "000000"), "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError as error:
        raise InputError(
            f"The rule {text!r} has UNTIL={value}; write it as 20270618T090000,"
            " with a Z behind it for UTC."
        ) from error
    return {"until": until, "until_is_instant": match[3] == "Z", "until_is_date": not match[2]}


def _read_weekday(value: str, text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([+-]?[1-9]\d?)?(MO|TU|WE|TH|FR|SA|SU)", value)
    if match is None or abs(int(match[1] or 0)) > 53:
        raise InputError(f"The rule {text!r} has the day {value!r}; use MO to SU, or such as -1FR.")
    return _DAYS[match[2]], int(match[1] or 0)


def _read_numbers(name: str, value: str, text: str) -> tuple[int, ...]:
    low, high, may_be_negative = _NUMBERS[name]
    numbers = [int(n) for n in value.split(",") if re.fullmatch(r"[+-]?\d{1,3}", n)]
    good = all(low <= (abs(n) if may_be_negative else n) <= high for n in numbers)
    if not good or len(numbers) != len(value.split(",")):
        raise InputError(f"The rule {text!r} has {name}={value}; use numbers from {low} to {high}.")
    return tuple(sorted(set(numbers)))


@lru_cache(maxsize=4096)
def expand_year(recurrence: Recurrence, start: datetime, year: int) -> tuple[datetime, ...]:
    """All wall-clock times of one year the rule names from `start` on, COUNT and UNTIL aside."""
    if recurrence.frequency == "YEARLY":
        in_phase = (year - start.year) % recurrence.interval == 0
        found = _expand_period(recurrence, start, date(year, 1, 1)) if in_phase else ()
    elif recurrence.frequency == "MONTHLY":
        months = (date(year, month, 1) for month in range(1, 13))
        found = tuple(
            time
            for month in months
            if ((month.year - start.year) * 12 + month.month - start.month) % recurrence.interval
            == 0
            for time in _expand_period(recurrence, start, month)
        )
    else:
        found = _expand_by_days(recurrence, start, year)
    return tuple(time for time in found if time >= start)


def _expand_by_days(recurrence: Recurrence, start: datetime, year: int) -> tuple[datetime, ...]:
    """Daily and weekly rules: the days the rule names, of the days or weeks whose turn it is."""
    positions = recurrence.selected("BYSETPOS")
    weekly = recurrence.frequency == "WEEKLY"
    # Positions count within a week, and a week may lie in two years.
    years = (year - 1, year, year + 1) if positions and weekly else (year,)
    times = [
        time
        for each in years
        if date.min.year <= each <= date.max.year
        for time in _expand_period(recurrence, start, date(each, 1, 1))
    ]
    length = 7 if weekly else 1
    first = start.toordinal() - ((start.weekday() - recurrence.week_start) % 7 if weekly else 0)
    found: list[datetime] = []
    for turn, group in groupby(times, key=lambda time: (time.toordinal() - first) // length):
        if turn % recurrence.interval == 0:
            found.extend(_pick(list(group), positions))
    return tuple(time for time in found if time.year == year)


def _pick(times: list[datetime], positions: Iterable[int]) -> list[datetime]:
    if not positions:
        return times
    indexes = {p - 1 if p > 0 else len(times) + p for p in positions}
    return [times[i] for i in sorted(indexes) if 0 <= i < len(times)]


def _expand_period(recurrence: Recurrence, start: datetime, first: date) -> tuple[datetime, ...]:
    """The times dateutil finds in the one year or month that begins on `first`."""
    by_days = recurrence.frequency in ("DAILY", "WEEKLY")
    chosen = {name.lower(): list(values) for name, values in recurrence.numbers}
    if by_days:
        chosen.pop("bysetpos", None)
    days: list[Any] = [rrule.weekday(day, n) if n else day for day, n in recurrence.weekdays]
    if not days and not chosen.keys() & {"bymonthday", "byyearday", "byweekno"}:
        days = _imply_days(recurrence.frequency, start, chosen)
    options: dict[str, Any] = {
        "byhour": start.hour,
        "byminute": start.minute,
        "bysecond": start.second,
        **chosen,
    }
    rule = rrule.rrule(
        rrule.YEARLY if by_days else _FREQUENCIES[recurrence.frequency],
        dtstart=datetime(first.year, first.month, 1),  # noqa: DTZ001
        interval=_BEYOND_THE_CALENDAR,
        wkst=recurrence.week_start,
        byweekday=days or None,
        **options,
    )
    return tuple(time.replace(microsecond=start.microsecond) for time in rule)


def _imply_days(frequency: str, start: datetime, chosen: dict[str, list[int]]) -> list[int]:
    """What a rule that names no day takes from its start."""
    if frequency == "DAILY":
        return list(range(7))
    if frequency == "WEEKLY":
        return [start.weekday()]
    if frequency == "YEARLY":
        chosen.setdefault("bymonth", [start.month])
    chosen["bymonthday"] = [start.day]
    return []
