"""When a sender is unusually silent."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from promotion.rules.silence import measure_silence

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def times_with(gaps: list[int]) -> list[datetime]:
    times = [BEGIN]
    for gap in gaps:
        times.append(times[-1] + timedelta(minutes=gap))
    return times


def test_below_twenty_gaps_nothing_is_said() -> None:
    assert measure_silence(times_with([5] * 19), BEGIN + timedelta(days=9)) is None
    assert measure_silence([], BEGIN) is None
    assert measure_silence(times_with([5] * 20), BEGIN + timedelta(days=9)) is not None


def test_a_silence_longer_than_the_usual_gap_is_unusual() -> None:
    times = times_with([5] * 98 + [60, 600])
    usual = measure_silence(times, times[-1] + timedelta(minutes=60))
    assert usual is not None
    assert usual.usual == timedelta(minutes=60)
    assert not usual.is_unusual
    late = measure_silence(times, times[-1] + timedelta(minutes=61))
    assert late is not None
    assert late.is_unusual


@given(st.lists(st.integers(0, 1000), min_size=20, max_size=120))
def test_at_most_one_gap_in_a_hundred_is_longer_than_the_usual_one(gaps: list[int]) -> None:
    times = times_with(gaps)
    silence = measure_silence(times[::-1], times[-1])
    assert silence is not None
    longer = sum(1 for gap in gaps if timedelta(minutes=gap) > silence.usual)
    assert longer <= len(gaps) * 0.01
    assert silence.lasted == timedelta(0)
