"""Lengths of time as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotion.exceptions import InputError
from promotion.rules.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30s", timedelta(seconds=30)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(days=1)),
        ("1h30m", timedelta(minutes=90)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("0s", timedelta(0)),
        (" 5m ", timedelta(minutes=5)),
    ],
)
def test_a_length_of_time_is_read(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "-5m", "1.5h", "30m1h", "1h1h", "5x", "٣m", "999999999w"]
)
def test_what_is_no_length_of_time_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(InputError, match=r"write"):
        parse_duration(text)


@given(st.integers(0, 23), st.integers(0, 59))
def test_hours_and_minutes_are_read_back_as_written(hours: int, minutes: int) -> None:
    length = timedelta(hours=hours, minutes=minutes)
    assert parse_duration(f"{hours}h{minutes}m") == length
