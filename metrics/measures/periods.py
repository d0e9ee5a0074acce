"""Periods and buckets: calendar days, ISO weeks and months of one zone, half-open."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAY, WEEK, MONTH = "day", "week", "month"


def start_of_day(day: date, zone: str) -> datetime:
    """The instant (UTC) at which `day` begins in the IANA `zone`."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `from_` up to, not including, `to` in an IANA zone."""

    from_: date
    to: date
    zone: str = "UTC"

    @property
    def starts_at(self) -> datetime:
        """The first instant of the period, in UTC."""
        return start_of_day(self.from_, self.zone)

    @property
    def ends_at(self) -> datetime:
        """The first instant after the period, in UTC."""
        return start_of_day(self.to, self.zone)


@dataclass(frozen=True, slots=True)
class Span:
    """Two instants, half-open; computed once, so that a look-up costs no calendar."""

    starts_at: datetime
    ends_at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether `at` lies in it."""
        return self.starts_at <= at < self.ends_at


def span_of(period: Period) -> Span:
    """The instants of a period."""
    return Span(period.starts_at, period.ends_at)


def _first_of(day: date, step: str) -> date:
    if step == WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if step == MONTH else day


def _next_after(day: date, step: str) -> date:
    if step == MONTH:
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 if step == WEEK else 1)


def split_period(period: Period, step: str) -> tuple[Period, ...]:
    """The days, ISO weeks or months of a period; the outer ones end with the period.

    Raises ValueError for a step other than day, week or month.
    """
    if step not in (DAY, WEEK, MONTH):
        raise ValueError(f"A series goes by day, week or month, not by {step!r}.")
    parts = []
    day = _first_of(period.from_, step)
    while day < period.to:
        following = _next_after(day, step)
        parts.append(Period(max(day, period.from_), min(following, period.to), period.zone))
        day = following
    return tuple(parts)


class Buckets:
    """Finds the bucket of an instant by bisection."""

    def __init__(self, period: Period, step: str) -> None:
        self.parts = split_period(period, step)
        self._starts = [part.starts_at for part in self.parts]
        self._ends_at = period.ends_at

    def index_of(self, at: datetime) -> int | None:
        """The position of the bucket that holds `at`, None outside the period."""
        if not self._starts or at < self._starts[0] or at >= self._ends_at:
            return None
        return bisect_right(self._starts, at) - 1
