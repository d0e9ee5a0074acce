"""The rules held against published examples and scipy, and against what they may never do."""

from math import exp, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from metrics.anomalies.base import BASELINE
from metrics.anomalies.durations import measure_slowness
from metrics.anomalies.failures import count_between, judge_failures
from metrics.anomalies.failures import find_limits as failure_limits
from metrics.anomalies.individuals import find_limits, judge_individuals
from metrics.anomalies.shares import find_laney, judge_shares, pool_share
from metrics.anomalies.shares import find_limits as share_limits
from metrics.anomalies.shifts import find_noise, find_shift

FLOWRATE = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
CANS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22]
CANS += [8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]
VALUES = st.floats(-1e3, 1e3, allow_nan=False)
UP_DOWN = [10.0, 12.0, 11.0, 9.0, 10.5, 11.5, 9.5, 10.0, 12.5, 9.0, 11.0, 10.0]


def test_limits_of_single_values_are_those_of_the_nist_handbook_6_3_2_2():
    limits = find_limits(FLOWRATE)
    assert limits.centre == pytest.approx(50.81)
    assert (limits.low, limits.high) == pytest.approx((45.8159, 55.8041), abs=2e-3)


def test_limits_of_a_share_are_those_of_montgomerys_orange_juice_cans():
    counts = [(k, 50) for k in CANS]
    share = pool_share(counts)
    limits = share_limits(share, 50, 1.0, len(counts))
    assert share == pytest.approx(0.2313, abs=1e-4)
    assert (limits.low, limits.high) == pytest.approx((0.0524, 0.4102), abs=1e-4)
    outside = [place for place, k in enumerate(CANS, 1) if k / 50 > limits.high]
    assert outside == [15, 23]


def test_overdispersed_shares_get_laneys_wider_limits():
    counts = [(k, 50) for k in CANS]
    assert find_laney(counts, pool_share(counts)) > 1.2
    even = [(k, 50) for k in [12, 11, 13, 10, 12, 14, 9, 12, 13, 11]]
    assert find_laney(even, pool_share(even)) == 1.0


@given(st.integers(1, 9), st.floats(0.05, 0.95), st.data())
def test_below_ten_a_share_is_unusual_by_the_exact_binomial_tail(n, share, data):
    k = data.draw(st.integers(0, n))
    baseline = [(round(share * 400), 400)] * BASELINE
    pooled = pool_share(baseline)
    tail = min(stats.binom.cdf(k, n, pooled), stats.binom.sf(k - 1, n, pooled))
    found = judge_shares([*baseline, (k, n)], BASELINE)
    if abs(tail - 0.00135) > 1e-9:
        assert bool(found) == bool(tail < 0.00135)


def test_one_bad_unit_after_few_good_ones_is_no_anomaly_and_many_are():
    good = [(5, 5)] * BASELINE
    assert judge_shares([*good, (4, 5)], BASELINE) == []
    assert len(judge_shares([*good, (1, 5)], BASELINE)) == 1


@given(st.floats(0.02, 0.95))
def test_limits_between_failures_are_quantiles_of_the_geometric_distribution(chance):
    mean = 1 / chance - 1
    limits = failure_limits([mean])  # type: ignore[list-item]
    wanted = stats.geom.ppf([0.00135, 0.99865], chance) - 1
    assert limits.low == pytest.approx(max(0, wanted[0]))
    assert limits.high == pytest.approx(wanted[1], abs=1)


def test_gaps_are_the_good_ones_between_two_failures():
    assert count_between([False, True, False, False, True, True]) == [(4, 2), (5, 0)]


def test_failures_that_come_closer_and_closer_are_found():
    gaps = [12, 3, 9, 5, 14, 2, 10, 6, 8, 4, 11, 7]
    apart = [failed for gap in gaps for failed in [*[False] * gap, True]]
    close = [True, False, True, True, False, True, False, True, True, True, True]
    found = judge_failures([*apart, *close], len(apart))
    assert [each.is_high for each in found] == [False]
    assert judge_failures(apart, len(apart) - 40) == []


def test_one_point_far_outside_is_found_and_one_inside_is_not():
    found = judge_individuals([*UP_DOWN, 30.0], len(UP_DOWN))
    assert [(each.rule, each.first, each.is_high) for each in found] == [("outside", 12, True)]
    assert judge_individuals([*UP_DOWN, 11.0], len(UP_DOWN)) == []


def test_eight_on_one_side_are_found_and_seven_are_not():
    assert [e.rule for e in judge_individuals([*UP_DOWN, *[11.2] * 8], 12)] == ["side"]
    assert judge_individuals([*UP_DOWN, *[11.2] * 7], 12) == []


def test_three_of_four_near_a_limit_are_found():
    limits = find_limits(UP_DOWN)
    near = limits.centre + 0.6 * ((limits.high or 0) - limits.centre)
    found = judge_individuals([*UP_DOWN, near, limits.centre, near, near], 12)
    assert [each.rule for each in found] == ["near"]


@given(st.lists(VALUES, max_size=BASELINE), st.integers(0, 20))
def test_there_is_no_anomaly_of_single_values_without_ten_before(values, judged_from):
    assert judge_individuals(values, judged_from) == []


@given(
    st.lists(
        st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
        max_size=BASELINE,
    )
)
def test_there_is_no_anomaly_of_shares_without_ten_before(counts):
    assert judge_shares(counts, 0) == []


@given(st.lists(st.booleans(), max_size=200))
def test_there_is_no_anomaly_of_failures_without_ten_gaps_before(failed):
    if sum(failed) <= BASELINE + 1:
        assert judge_failures(failed, 0) == []


@given(st.lists(VALUES, max_size=19))
def test_there_is_no_shift_below_twenty_points(values):
    assert find_shift(values, 0) is None


@given(st.lists(st.floats(1, 1e5), max_size=7), st.floats(1, 1e9))
def test_nothing_is_slow_below_eight_of_its_kind(others, seconds):
    assert measure_slowness(seconds, others) is None


@given(st.lists(VALUES, min_size=11, max_size=60), st.integers(0, 60))
def test_nothing_but_recent_points_is_judged(values, judged_from):
    first = max(BASELINE, min(judged_from, len(values)))
    assert all(each.last >= first for each in judge_individuals(values, judged_from))


@given(st.lists(VALUES, min_size=11, max_size=40), st.floats(0.1, 100), st.floats(-100, 100))
@settings(max_examples=60)
def test_points_outside_do_not_depend_on_the_unit(values, scale, offset):
    values = [round(value, 2) for value in values]
    limits = find_limits(values[:BASELINE])
    edges = [(limits.low or 0), (limits.high or 0), limits.centre]
    if any(abs(value - edge) < 1e-3 for value in values for edge in edges):
        return
    moved = [round(value * 4, 2) + 1024 for value in values]
    plain = [e.first for e in judge_individuals(values, 10) if e.rule == "outside"]
    assert [e.first for e in judge_individuals(moved, 10) if e.rule == "outside"] == plain


def test_a_shift_that_lasts_is_found_where_it_began():
    before = [10.0, 11, 9, 10, 12, 9, 10, 11, 10, 9, 11, 10, 9, 12]
    after = [20.0, 21, 19, 20, 22, 19, 20, 21]
    found = find_shift([*before, *after], 0)
    assert found is not None
    assert (found.first, found.is_high) == (14, True)
    assert found.value == pytest.approx(20.25)
    assert find_shift([*before, *before], 0) is None
    assert find_shift([*before, *after], 15) is None


def test_two_odd_weeks_are_no_lasting_shift():
    values = [10.0, 11, 9, 10, 12, 9, 10, 11, 10, 9, 11, 10, 9, 12, 20, 21, 10, 9, 11, 10, 12, 9]
    found = find_shift(values, 0)
    assert found is None or found.last - found.first + 1 >= 4


def test_the_noise_of_a_series_is_hardly_touched_by_a_shift():
    still = [10.0, 11, 9, 10, 12, 9, 10, 11, 10, 9, 11, 10]
    assert find_noise([*still, *(value + 50 for value in still)]) == pytest.approx(
        find_noise(still), rel=0.5
    )


def test_slowness_is_the_modified_z_of_the_logarithms():
    others = [60.0, 65, 70, 72, 75, 80, 90, 100, 55]
    slow = measure_slowness(600, others)
    assert slow is not None
    logs = [log(each) for each in others]
    spread = stats.median_abs_deviation(logs)
    z = 0.6745 * (log(600) - sorted(logs)[4]) / spread
    assert (slow.z, slow.n, slow.longer_than) == (pytest.approx(z), 9, 1.0)
    assert slow.is_unusual and slow.limit < 600
    assert exp(log(slow.median)) == pytest.approx(72)
    assert measure_slowness(80, others).is_unusual is False  # type: ignore[union-attr]
    assert measure_slowness(1, others).is_unusual is False  # type: ignore[union-attr]
