"""Windows against brute force around the changes of clocks, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from promotion.exceptions import InputError
from promotion.rules.windows import HORIZON, Window, judge_windows, list_open, validate_window

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# (zone, an instant near which its clocks change): an hour forward and back, and half an hour.
CHANGES = [
    ("Europe/Berlin", datetime(2027, 3, 28, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2027, 10, 31, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2027, 11, 7, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2027, 10, 2, 15, 30, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2027, 4, 3, 15, tzinfo=UTC)),
    ("UTC", datetime(2027, 6, 16, tzinfo=UTC)),
]


def to_utc(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant whose clock shows this time, or the clock before it was put forward."""
    guess = wall.replace(tzinfo=UTC)
    instants = [guess + offset * 30 * MINUTE for offset in range(-28, 29)]
    shown = [at for at in instants if at.astimezone(zone).replace(tzinfo=None) == wall]
    if shown:
        return shown[0]
    before = (guess - DAY).astimezone(zone).utcoffset()
    assert before is not None
    return guess - before


def is_open_by_force(allow: list[Window], deny: list[Window], at: datetime) -> bool:
    def covers(window: Window) -> bool:
        zone = ZoneInfo(window.zone)
        around = at.replace(tzinfo=None)
        walls = [window.start]
        if window.rrule:
            rule = rrulestr(window.rrule, dtstart=window.start)
            walls = rule.between(around - 4 * DAY, around + 2 * DAY, inc=True)
        starts = [to_utc(wall, zone) for wall in walls]
        assert window.duration is not None
        return any(start <= at < start + window.duration for start in starts)

    return (not allow or any(map(covers, allow))) and not any(map(covers, deny))


@st.composite
def windows_at(draw: st.DrawFn, zone: str, around: datetime) -> Window:
    wall = around.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    start = wall - 7 * DAY + draw(st.integers(-12, 12)) * 15 * MINUTE
    rules = ["FREQ=DAILY", "FREQ=DAILY;INTERVAL=2", "FREQ=WEEKLY;BYDAY=SA,SU", None]
    duration = draw(st.integers(1, 120)) * 15 * MINUTE
    return Window(start, zone, duration, draw(st.sampled_from(rules)))


@given(st.data())
def test_the_state_and_the_next_change_equal_brute_force(data: st.DataObject) -> None:
    zone, around = data.draw(st.sampled_from(CHANGES))
    drawn = st.lists(windows_at(zone, around), max_size=2)
    allow, deny = data.draw(drawn), data.draw(drawn)
    steps = [around + step * 15 * MINUTE for step in range(-16, 17)]
    truth = [is_open_by_force(allow, deny, at) for at in steps]
    for index, at in enumerate(steps):
        state = judge_windows(allow, deny, at)
        assert state.open is truth[index]
        flips = (later for later, was in zip(steps, truth, strict=True) if later > at)
        first = next((f for f in flips if truth[steps.index(f)] != truth[index]), None)
        if first is not None:
            assert state.next_change == first
        else:
            assert state.next_change is None or state.next_change > steps[-1]


WORKDAYS = Window(
    datetime(2027, 1, 4, 9), "Europe/Berlin", 8 * HOUR, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
)
NOW = datetime(2027, 6, 16, 12, tzinfo=UTC)


def test_an_allow_window_that_never_comes_is_closed_and_not_absent() -> None:
    never = replace(WORKDAYS, rrule="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
    assert judge_windows([never], [], NOW) == judge_windows([never], [], NOW + DAY)
    assert judge_windows([never], [], NOW).open is False


def test_a_rule_without_a_duration_opens_for_ever_from_its_first_occurrence() -> None:
    for_ever = Window(datetime(2020, 1, 1), "UTC", None, "FREQ=YEARLY;BYMONTH=3")
    assert judge_windows([for_ever], [], NOW).open
    assert judge_windows([for_ever], [], NOW).next_change is None
    assert not judge_windows([for_ever], [], datetime(2020, 2, 1, tzinfo=UTC)).open


def test_an_occurrence_longer_than_the_time_between_two_never_closes() -> None:
    long = replace(WORKDAYS, rrule="FREQ=WEEKLY", duration=9 * DAY)
    assert judge_windows([long], [], NOW).next_change is None


def test_an_occurrence_that_began_years_ago_still_lasts() -> None:
    old = Window(datetime(2020, 1, 1), "UTC", 3000 * DAY)
    assert judge_windows([], [old], NOW).open is False


def test_until_as_an_instant_takes_the_occurrence_at_that_instant() -> None:
    last = replace(WORKDAYS, rrule="FREQ=DAILY;UNTIL=20270616T070000Z")
    assert judge_windows([last], [], NOW).open
    earlier = replace(WORKDAYS, rrule="FREQ=DAILY;UNTIL=20270616T065959Z")
    assert not judge_windows([earlier], [], NOW).open


def test_a_count_of_years_past_is_used_up() -> None:
    counted = replace(WORKDAYS, start=datetime(2020, 1, 1, 9), rrule="FREQ=WEEKLY;COUNT=50")
    assert judge_windows([counted], [], NOW).next_change is None


def test_a_count_goes_on_over_the_turn_of_the_year() -> None:
    counted = Window(datetime(2026, 12, 30), "UTC", HOUR, "FREQ=DAILY;COUNT=4")
    on_the_second = datetime(2027, 1, 2, tzinfo=UTC)
    assert judge_windows([counted], [], on_the_second).open
    assert not judge_windows([counted], [], on_the_second + DAY).open


def test_two_occurrences_the_clocks_put_on_one_instant_are_one() -> None:
    both = Window(datetime(2027, 3, 1, 2, 30), "Europe/Berlin", HOUR, "FREQ=DAILY;BYHOUR=2,3")
    skipped = datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert judge_windows([both], [], skipped).next_change == skipped + HOUR


def test_the_horizon_is_400_days_of_24_hours() -> None:
    far = Window((NOW + HORIZON).replace(tzinfo=None), "UTC", HOUR)
    assert judge_windows([], [far], NOW).next_change == NOW + HORIZON
    assert judge_windows([], [far], NOW - timedelta(microseconds=1)).next_change is None


@given(st.datetimes(datetime(2027, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)))
def test_each_change_is_a_change(now: datetime) -> None:
    freeze = Window(datetime(2026, 12, 24), "America/New_York", 3 * DAY, "FREQ=YEARLY")
    states = [judge_windows([WORKDAYS], [freeze], now)]
    for _ in range(6):
        assert states[-1].next_change is not None
        states.append(judge_windows([WORKDAYS], [freeze], states[-1].next_change))
    assert all(one.open != two.open for one, two in pairwise(states))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"zone": "Berlin"}, "not a time zone"),
        ({"zone": ""}, "not a time zone"),
        ({"zone": "../etc/passwd"}, "not a time zone"),
        ({"zone": "Europe"}, "not a time zone"),
        ({"duration": timedelta(0)}, "longer than no time"),
        ({"start": datetime(2027, 1, 1, tzinfo=UTC)}, "without offset"),
        ({"start": datetime(1, 1, 1)}, "year 1"),
        ({"rrule": "FREQ=HOURLY"}, "DAILY"),
        ({"rrule": "FREQ=DAILY;UNTIL=20270618"}, "with a time"),
    ],
)
def test_a_window_that_cannot_be_used_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        validate_window(replace(WORKDAYS, **change))


def test_a_good_window_is_not_refused() -> None:
    for window in (WORKDAYS, replace(WORKDAYS, duration=None, rrule=None)):
        validate_window(window)
        assert judge_windows([window], [], NOW).open


def test_an_unusable_window_opens_nothing() -> None:
    with pytest.raises(InputError):
        judge_windows([], [replace(WORKDAYS, zone="Nowhere/Land")], NOW)


@settings(deadline=None)
@given(st.data())
def test_the_open_times_of_a_span_are_those_at_which_the_windows_are_open(data: Any) -> None:
    zone, around = data.draw(st.sampled_from(CHANGES))
    allow = data.draw(st.lists(windows_at(zone, around), max_size=2))
    deny = data.draw(st.lists(windows_at(zone, around), max_size=2))
    since = around - data.draw(st.integers(0, 200)) * 15 * MINUTE
    until = since + data.draw(st.integers(1, 400)) * 15 * MINUTE
    spans = list_open(allow, deny, since, until)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(set(edges))
    assert all(since <= edge <= until for edge in edges)
    for _ in range(8):
        at = since + data.draw(st.integers(0, int((until - since) / MINUTE) - 1)) * MINUTE
        assert any(begin <= at < end for begin, end in spans) == judge_windows(allow, deny, at).open


def test_a_window_without_an_end_is_cut_to_the_span_asked_for() -> None:
    since, until = datetime(2027, 6, 1, tzinfo=UTC), datetime(2027, 6, 2, tzinfo=UTC)
    freeze = Window(start=datetime(2027, 6, 1, 12), zone="UTC")
    assert list_open([], [], since, until) == [(since, until)]
    assert list_open([], [freeze], since, until) == [(since, since + 12 * HOUR)]
    assert list_open([freeze], [], since, until) == [(since + 12 * HOUR, until)]
