"""When promotions may start: allow windows and deny windows (freezes), correct over DST."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from promotion.exceptions import InputError
from promotion.rules.recurrence import Recurrence, expand_year, read_recurrence

HORIZON = timedelta(days=400)
# Most windows change within days; the whole horizon is expanded only where they do not.
_NEAR = timedelta(days=16)
_FOR_EVER = datetime.max.replace(tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1900, 9000

Spans = list[tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class Window:
    """A start on the zone's wall clock, how long each occurrence lasts, and how it recurs.

    Without a `duration` an occurrence lasts for ever; without an `rrule` there is only the start.
    """

    start: datetime
    zone: str
    duration: timedelta | None = None
    rrule: str | None = None


@dataclass(frozen=True, slots=True)
class WindowState:
    """Open or not, and the next instant that changes; None if it does not within the horizon."""

    open: bool
    next_change: datetime | None


def judge_windows(allow: Sequence[Window], deny: Sequence[Window], now: datetime) -> WindowState:
    """Say whether the windows are open now and when that changes; InputError if one is unusable.

    Deny beats allow; with no allow window it is open wherever no deny window is.
    """
    for reach in (_NEAR, HORIZON):
        allowed = _merge(allow, now, now + reach) if allow else [(now, _FOR_EVER)]
        denied = _merge(deny, now, now + reach)
        is_open = _covers(allowed, now) and not _covers(denied, now)
        edges = {edge for span in (*allowed, *denied) for edge in span}
        for edge in sorted(edge for edge in edges if now < edge <= now + reach):
            if (_covers(allowed, edge) and not _covers(denied, edge)) != is_open:
                return WindowState(is_open, edge)
    return WindowState(is_open, None)


def list_open(
    allow: Sequence[Window], deny: Sequence[Window], since: datetime, until: datetime
) -> Spans:
    """The times between the two instants at which promotions may start: sorted, disjoint, cut to fit.

    By the same rule as `judge_windows`; InputError if a window is unusable.
    """
    allowed = _merge(allow, since, until) if allow else [(since, until)]
    denied = _merge(deny, since, until)
    found: Spans = []
    for from_at, to_at in allowed:
        begin, end = max(from_at, since), min(to_at, until)
        for denied_from, denied_to in denied:
            if begin >= end or denied_from >= end:
                break
            if denied_to <= begin:
                continue
            if denied_from > begin:
                found.append((begin, denied_from))
            begin = denied_to
        if begin < end:
            found.append((begin, end))
    return found


def validate_window(window: Window) -> None:
    """Raise InputError with a sentence if the window cannot be used as it is written."""
    if window.start.tzinfo is not None:
        raise InputError("A window's start is a time on its zone's clock; write it without offset.")
    if not _FIRST_YEAR <= window.start.year <= _LAST_YEAR:
        raise InputError(
            f"A window cannot start in the year {window.start.year};"
            f" use one from {_FIRST_YEAR} to {_LAST_YEAR}."
        )
    if window.duration is not None and window.duration <= timedelta(0):
        raise InputError("A window must last longer than no time; give it a duration such as 8h.")
    _find_zone(window.zone)
    if window.rrule and read_recurrence(window.rrule).until_is_date:
        raise InputError(
            f"The rule {window.rrule!r} ends on a day without a time; write UNTIL with a time,"
            " such as 20270618T235959."
        )


def _merge(windows: Iterable[Window], now: datetime, latest: datetime) -> Spans:
    """The times the windows cover after now that begin by `latest`; touching ones joined."""
    spans = sorted(span for window in windows for span in _list_spans(window, now, latest))
    merged: Spans = []
    for from_at, to_at in spans:
        if merged and from_at <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], to_at))
        else:
            merged.append((from_at, to_at))
    return merged


def _covers(spans: Spans, at: datetime) -> bool:
    """Whether one of the sorted, disjoint spans covers the instant: start in, end out."""
    place = bisect_right(spans, at, key=lambda span: span[0])
    return place > 0 and at < spans[place - 1][1]


def _list_spans(
    window: Window, now: datetime, latest: datetime
) -> Iterator[tuple[datetime, datetime]]:
    if window.duration is None:
        first = next(_find_starts(window, None, latest), None)
        if first is not None:
            yield first, _FOR_EVER
        return
    for from_at in _find_starts(window, _subtract(now, window.duration), latest):
        to_at = _add(from_at, window.duration)
        if to_at > now and to_at > from_at:
            yield from_at, to_at


def _find_starts(window: Window, after: datetime | None, latest: datetime) -> Iterator[datetime]:
    """The window's starts after an instant (None: from its first one on) up to `latest`, sorted."""
    if not window.rrule:
        start = _to_instant(window.start, window.zone)
        yield from (start,) if start <= latest else ()
        return
    recurrence = read_recurrence(window.rrule)
    # A day to either side covers every zone's offset.
    last_year = min(_add(latest, timedelta(days=1)).year, _LAST_YEAR)
    first_year = window.start.year
    if after is not None:
        first_year = max(first_year, _subtract(after, timedelta(days=1)).year)
    for year in range(first_year, last_year + 1):
        starts = _list_year(window, recurrence, year)
        since = 0 if after is None else bisect_right(starts, after)
        yield from starts[since : bisect_right(starts, latest)]


@lru_cache(maxsize=4096)
def _list_year(window: Window, recurrence: Recurrence, year: int) -> tuple[datetime, ...]:
    """The instants at which the window starts in one year of its wall clock, sorted."""
    times = expand_year(recurrence, window.start, year)
    if recurrence.count is not None:
        times = times[: max(recurrence.count - _count_before(window, recurrence, year), 0)]
    until = recurrence.until
    if until is not None and not recurrence.until_is_instant:
        times = tuple(time for time in times if time <= until)
    instants = (_to_instant(time, window.zone) for time in times)
    if until is not None and recurrence.until_is_instant:
        until = until.replace(tzinfo=UTC)
        return tuple(sorted(instant for instant in instants if instant <= until))
    # A start the clocks skip may come after one written later: sort the instants, not the clock.
    return tuple(sorted(instants))


def _count_before(window: Window, recurrence: Recurrence, year: int) -> int:
    years = range(window.start.year, year)
    return sum(len(expand_year(recurrence, window.start, each)) for each in years)


def _to_instant(time: datetime, zone: str) -> datetime:
    """A wall-clock time as an instant; skipped: the offset before the change; twice: the first."""
    try:
        # fold=0 means exactly that (PEP 495).
        return time.replace(tzinfo=_find_zone(zone), fold=0).astimezone(UTC)
    except OverflowError as error:
        raise InputError(f"The window's time {time} lies outside the calendar.") from error


def _find_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            f"{name!r} is not a time zone; use an IANA name such as Europe/Berlin."
        ) from error


def _add(at: datetime, length: timedelta) -> datetime:
    try:
        return at + length
    except OverflowError:
        return _FOR_EVER


def _subtract(at: datetime, length: timedelta) -> datetime:
    try:
        return at - length
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
