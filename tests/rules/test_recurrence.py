"""Recurrence rules against dateutil run the plain way, and what is refused."""

from datetime import datetime, timedelta
from itertools import takewhile

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st

from promotion.exceptions import InputError
from promotion.rules.recurrence import expand_year, read_recurrence

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def some(values: list[int], size: int = 3) -> st.SearchStrategy[str]:
    drawn = st.lists(st.sampled_from(values), min_size=1, max_size=size, unique=True)
    return drawn.map(lambda numbers: ",".join(map(str, numbers)))


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    days = st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True).map(",".join)
    parts = {
        "INTERVAL": st.integers(1, 5).map(str),
        "BYMONTH": some(list(range(1, 13))),
        "BYMONTHDAY": some([1, 15, 28, 29, 30, 31, -1, -2]),
        "BYDAY": days,
        "BYHOUR": some([2, 9, 17]),
        "WKST": st.sampled_from(DAYS),
    }
    if frequency in ("MONTHLY", "YEARLY"):
        parts["BYDAY"] = days | st.sampled_from(["1MO", "-1FR", "2TU,-1SU"])
    # In a first week begun part way dateutil counts positions from the start; we count the week's.
    if frequency != "WEEKLY":
        parts["BYSETPOS"] = some([1, 2, -1], 2)
    if frequency == "YEARLY":
        parts["BYWEEKNO"] = some([1, 2, 52, 53, -1])
        parts["BYYEARDAY"] = some([1, 100, 366, -1])
    chosen = draw(st.lists(st.sampled_from(sorted(parts)), unique=True, max_size=4))
    return ";".join([f"FREQ={frequency}", *(f"{name}={draw(parts[name])}" for name in chosen)])


starts = st.datetimes(datetime(2023, 1, 1), datetime(2028, 12, 31)).map(
    lambda time: time.replace(microsecond=0)
)


@given(rules(), starts)
def test_a_rule_yields_what_dateutil_yields(rule: str, start: datetime) -> None:
    years = range(start.year, start.year + 3)
    ours = [t for year in years for t in expand_year(read_recurrence(rule), start, year)]
    # Where nothing is found dateutil would look on until the year 9999.
    assume(ours)
    theirs = iter(rrulestr(f"{rule};COUNT={len(ours)}", dtstart=start))
    assert list(takewhile(lambda time: time.year in years, theirs)) == ours


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYDAY=FR;BYSETPOS=6",
        "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30",
    ],
)
def test_a_rule_that_names_no_day_ends(rule: str) -> None:
    start = datetime(2027, 1, 1, 9)
    assert [expand_year(read_recurrence(rule), start, year) for year in (2027, 2028)] == [(), ()]


def test_positions_of_a_week_that_lies_in_two_years_are_counted_once() -> None:
    rule = read_recurrence("FREQ=WEEKLY;BYDAY=MO,SU;BYSETPOS=1")
    start = datetime(2026, 12, 1, 9)
    # The week from Monday, 28 December 2026 to Sunday, 3 January 2027.
    assert expand_year(rule, start, 2026)[-1] == datetime(2026, 12, 28, 9)
    assert expand_year(rule, start, 2027)[0] == datetime(2027, 1, 4, 9)


def test_every_second_week_goes_by_the_week_start() -> None:
    start = datetime(2027, 1, 5, 9)
    both = "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST="
    by_monday = expand_year(read_recurrence(f"{both}MO"), start, 2027)
    by_sunday = expand_year(read_recurrence(f"{both}SU"), start, 2027)
    assert by_monday[1] - start == timedelta(days=5)
    assert by_sunday[1] - start == timedelta(days=12)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("", "cannot be used"),
        ("BYDAY=MO", "no FREQ"),
        ("FREQ=HOURLY", "DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=DAILY;FREQ=WEEKLY", "twice"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101T000000", "both COUNT and UNTIL"),
        ("FREQ=DAILY;INTERVAL=0", "cannot be used"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20270230T000000", "UNTIL"),
        ("FREQ=WEEKLY;BYDAY=1MO", "numbers its days"),
        ("FREQ=MONTHLY;BYDAY=XX", "XX"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "from 1 to 31"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,", "from 1 to 31"),
        ("FREQ=YEARLY;BYMONTH=-1", "from 1 to 12"),
        ("FREQ=YEARLY;BYEASTER=1", "BYEASTER"),
    ],
)
def test_an_unusable_rule_is_refused_and_its_part_named(rule: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_recurrence(rule)


def test_a_rule_is_read_in_any_case_and_with_its_property_name() -> None:
    assert read_recurrence("rrule:freq=daily;") == read_recurrence("FREQ=DAILY")
