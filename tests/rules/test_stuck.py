"""When a running promotion is stuck, by the pure rule."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from promotion.rules.stuck import is_stuck, usual_limit

spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30))


def minutes(*lengths):
    return [timedelta(minutes=length) for length in lengths]


def test_below_eight_nothing_is_said():
    assert usual_limit(minutes(*range(7))) is None
    assert not is_stuck(timedelta(days=9), minutes(*range(7)))


def test_the_limit_is_the_99th_of_a_hundred():
    assert usual_limit(minutes(*range(1, 101))) == timedelta(minutes=99)


def test_exactly_the_limit_is_not_stuck():
    assert not is_stuck(timedelta(minutes=8), minutes(*range(1, 9)))
    assert is_stuck(timedelta(minutes=8, seconds=1), minutes(*range(1, 9)))


@given(st.lists(spans, min_size=8), st.randoms())
def test_the_order_does_not_matter_and_at_most_one_in_a_hundred_lies_above(lengths, random):
    shuffled = random.sample(lengths, len(lengths))
    assert usual_limit(shuffled) == usual_limit(lengths)
    above = sum(is_stuck(length, lengths) for length in lengths)
    assert above <= len(lengths) / 100
