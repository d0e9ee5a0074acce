"""How times, spans, numbers and shares are written."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotion import formats

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
OSLO = ZoneInfo("Europe/Oslo")


def plain(text: str) -> str:
    return text.replace(formats.NO_BREAK, " ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.04, "0.1 s"),
        (0.34, "0.3 s"),
        (0.97, "1 s"),
        (45, "45 s"),
        (59.7, "1 min"),
        (200, "3 min 20 s"),
        (3_600, "1 h"),
        (9_600, "2 h 40 min"),
        (86_380, "1 d"),
        (93_600, "1 d 2 h"),
        (367_200, "4 d 6 h"),
        (1_080_000, "12 d"),
        (-90, "\u22121 min 30 s"),
    ],
)
def test_a_span_is_written_in_at_most_two_units(seconds: float, text: str) -> None:
    assert plain(formats.format_span(seconds)) == text


@given(st.floats(min_value=0, max_value=1e9))
def test_a_span_never_breaks_and_never_carries_a_full_unit(seconds: float) -> None:
    text = formats.format_span(seconds)
    assert " " not in text
    words = text.split(formats.NO_BREAK)
    assert len(words) in (2, 4)
    full = {"s": 60, "min": 60, "h": 24}
    for number, unit in zip(words[::2], words[1::2], strict=True):
        assert float(number) < full.get(unit, 1e9)


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=14), "14 s ago"),
        (timedelta(minutes=18, seconds=40), "18 min ago"),
        (timedelta(hours=1, minutes=20), "1 h 20 min ago"),
        (timedelta(days=1, hours=4), "1 d 4 h ago"),
        (timedelta(days=13, hours=23), "14 d ago"),
        (timedelta(days=14), "Mon 9 Nov"),
        (timedelta(days=400), "Sun 19 Oct 2025"),
        (-timedelta(hours=4), "in 4 h"),
        (-timedelta(days=20), "Sun 13 Dec"),
    ],
)
def test_a_time_is_relative_under_fourteen_days_and_a_day_from_there(
    ago: timedelta, text: str
) -> None:
    assert plain(formats.format_relative(NOW - ago, NOW)) == text


def test_a_day_carries_its_year_by_the_calendar_of_its_own_zone() -> None:
    new_year_in_oslo = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    at = new_year_in_oslo.astimezone(OSLO)
    assert plain(formats.format_day(at, NOW)) == "Fri 1 Jan 2027"
    assert plain(formats.format_day(at, new_year_in_oslo)) == "Fri 1 Jan"


def test_a_moment_names_its_zone_and_exactly_its_milliseconds() -> None:
    at = NOW.replace(microsecond=31_900)
    assert formats.format_moment(at.astimezone(OSLO)) == "Mon 23 Nov 2026, 15:20 CET"
    assert formats.format_moment(at, exact=True) == "Mon 23 Nov 2026, 14:20:00.031 UTC"
    unnamed = at.astimezone(ZoneInfo("America/Sao_Paulo"))
    assert formats.format_moment(unnamed) == "Mon 23 Nov 2026, 11:20 UTC-03"


@pytest.mark.parametrize(
    ("share", "n", "text"),
    [
        (None, 40, "not measured"),
        (0.5, 0, "not measured"),
        (0.5, 4, "2 of 4"),
        (0.8, 5, "80 %"),
        (0.871, 199, "87 %"),
        (0.871, 200, "87.1 %"),
        (1.0, 5_000, "100.0 %"),
        (0.9999, 20_000, "99.9 %"),
        (0.0001, 20_000, "0.1 %"),
        (0.0, 50, "0 %"),
    ],
)
def test_a_share_says_no_more_than_its_cases_allow(share: float | None, n: int, text: str) -> None:
    assert plain(formats.format_percent(share, n)) == text


def test_a_headline_has_a_decimal_from_five_cases_on() -> None:
    assert plain(formats.format_percent(0.875, 40, headline=True)) == "87.5 %"
    assert formats.format_percent(0.75, 4, headline=True) == "3 of 4"


def test_numbers_are_grouped_and_their_minus_is_a_minus() -> None:
    assert formats.format_number(48_213) == "48,213"
    assert formats.format_number(-1_284.25) == "\u22121,284.2"
    assert formats.format_number(-0.01, 1) == "0.0"
    assert plain(formats.format_points(0.06)) == "+6.0 points"
    assert plain(formats.format_points(-0.012)) == "\u22121.2 points"
    assert plain(formats.format_points(0.0001)) == "0.0 points"
