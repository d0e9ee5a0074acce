"""The statistics, held to scipy and to worked examples in print."""

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from metrics.statistics import (
    MEETS,
    MISSES,
    NOISE,
    NOT_ENOUGH,
    SIGNAL,
    TOO_CLOSE,
    Interval,
    adjust_many,
    bound_percentile,
    compare_counts,
    compare_shares,
    describe_size,
    garwood,
    interpolate_percentile,
    judge_target,
    kaplan_meier,
    measure_percentile,
    wilson,
)

HOURS = st.floats(0, 1e4, allow_nan=False)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_values_of_newcombe_1998_table_1(
    successes: int, n: int, low: float, high: float
) -> None:
    interval = wilson(successes, n)

    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counts: tuple[int, int]) -> None:
    reference = stats.binomtest(*counts).proportion_ci(0.95, method="wilson")
    interval = wilson(*counts)

    assert interval.low == pytest.approx(reference.low, abs=1e-9)
    assert interval.high == pytest.approx(reference.high, abs=1e-9)


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (3, 2), (-1, 2)])
def test_a_proportion_that_cannot_be_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no proportion"):
        wilson(successes, n)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [
        (0, 0.0, 3.6889),
        (1, 0.0253, 5.5716),
        (2, 0.2422, 7.2247),
        (5, 1.6235, 11.6683),
        (10, 4.7954, 18.3904),
    ],
)
def test_garwood_gives_the_tabled_limits_of_a_poisson_mean(
    count: int, low: float, high: float
) -> None:
    interval = garwood(count)

    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


@given(st.integers(1, 5000))
def test_garwood_agrees_with_chi_squared(count: int) -> None:
    interval = garwood(count)

    assert interval.low == pytest.approx(stats.chi2.ppf(0.025, 2 * count) / 2, rel=1e-8)
    assert interval.high == pytest.approx(stats.chi2.ppf(0.975, 2 * count + 2) / 2, rel=1e-8)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="no count"):
        garwood(-1)


@given(st.lists(HOURS, min_size=1, max_size=60), st.floats(0, 1))
def test_percentiles_agree_with_numpy(values: list[float], q: float) -> None:
    expected = float(numpy.quantile(values, q, method="linear"))

    assert interpolate_percentile(sorted(values), q) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs values"):
        interpolate_percentile([], 0.5)


@given(st.integers(1, 200), st.sampled_from([0.5, 0.75, 0.9]))
def test_order_statistics_hold_the_percentile_with_95_percent(n: int, q: float) -> None:
    interval = bound_percentile([float(rank) for rank in range(1, n + 1)], q)
    if interval is None:
        assert 1 - q**n - (1 - q) ** n < 0.975
        return
    if interval.low is not None:
        assert stats.binom.cdf(interval.low - 1, n, q) <= 0.025
    if interval.high is not None:
        assert stats.binom.sf(interval.high - 1, n, q) <= 0.025 + 1e-12


def test_ten_values_bound_their_median_by_the_second_and_the_ninth() -> None:
    assert bound_percentile([float(rank) for rank in range(1, 11)], 0.5) == Interval(2.0, 9.0)


def test_no_values_bound_nothing() -> None:
    assert bound_percentile([], 0.5) is None


@pytest.mark.parametrize(("q", "smallest"), [(0.5, 5), (0.75, 12), (0.9, 30)])
def test_a_percentile_needs_its_smallest_n(q: float, smallest: int) -> None:
    assert measure_percentile([1.0] * (smallest - 1), q).value is None
    assert measure_percentile([1.0] * smallest, q).value == 1.0


# Remission times in weeks on 6-MP, Freireich et al. 1963; worked in Kleinbaum and Klein,
# Survival Analysis, chapter 2, table 2.1. True: relapsed.
REMISSION = [
    *[(6.0, True)] * 3,
    *[(time, True) for time in (7.0, 10.0, 13.0, 16.0, 22.0, 23.0)],
    *[(time, False) for time in (6.0, 9.0, 10.0, 11.0, 17.0, 19.0, 20.0, 25.0)],
    *[(time, False) for time in (32.0, 32.0, 34.0, 35.0)],
]


def test_kaplan_meier_gives_the_remission_curve_of_freireich() -> None:
    curve = kaplan_meier(REMISSION)

    assert curve.times == (6, 7, 10, 13, 16, 22, 23)
    assert curve.remaining == pytest.approx(
        (0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482), abs=5e-5
    )
    assert curve.median() == 23
    assert curve.share_at(15) == pytest.approx(1 - 0.6902, abs=5e-5)
    assert curve.share_at(5) == 0


@given(st.lists(st.tuples(st.integers(0, 50).map(float), st.booleans()), min_size=1, max_size=60))
def test_kaplan_meier_agrees_with_scipy(spans: list[tuple[float, bool]]) -> None:
    data = stats.CensoredData(
        uncensored=[time for time, event in spans if event],
        right=[time for time, event in spans if not event],
    )
    reference = stats.ecdf(data).cdf
    curve = kaplan_meier(spans)

    for time in range(52):
        assert curve.share_at(time) == pytest.approx(float(reference.evaluate(time)), abs=1e-9)


def test_half_recovered_is_exactly_half_at_every_n() -> None:
    for n in range(6, 300, 2):
        curve = kaplan_meier([(float(time), True) for time in range(1, n + 1)])
        assert curve.median() == n / 2


def test_there_is_no_median_below_five_or_before_half_recovered() -> None:
    assert kaplan_meier([(1.0, True)] * 4).median() is None
    assert kaplan_meier([(1.0, True)] * 2 + [(9.0, False)] * 3).median() is None
    assert kaplan_meier([]).share_at(3) is None


@pytest.mark.parametrize(
    ("interval", "n", "higher", "verdict"),
    [
        (Interval(0.91, 0.99), 40, True, MEETS),
        (Interval(0.90, 0.99), 40, True, MEETS),
        (Interval(0.70, 0.85), 40, True, MISSES),
        (Interval(0.80, 0.95), 40, True, TOO_CLOSE),
        (Interval(0.80, None), 40, True, TOO_CLOSE),
        (Interval(0.95, None), 40, True, MEETS),
        (Interval(0.10, 0.20), 40, False, MEETS),
        (Interval(0.95, 0.99), 40, False, MISSES),
        (Interval(None, 0.80), 40, False, MEETS),
        (Interval(0.95, 0.99), 4, True, NOT_ENOUGH),
        (None, 40, True, NOT_ENOUGH),
    ],
)
def test_a_target_is_met_or_missed_only_by_the_whole_interval(
    interval: Interval | None, n: int, higher: bool, verdict: str
) -> None:
    assert judge_target(interval, 0.9, n, higher) == verdict


def test_small_figures_are_counts_then_muted_then_full() -> None:
    assert [describe_size(n) for n in (0, 4, 5, 19, 20)] == [
        "count",
        "count",
        "muted",
        "muted",
        "full",
    ]


def test_two_shares_differ_as_in_newcombe_1998_example_a() -> None:
    # 56/70 against 48/80, method 10: 0.0524 to 0.3339.
    comparison = compare_shares((48, 80), (56, 70))

    assert comparison.value == pytest.approx(0.2)
    assert comparison.interval.low == pytest.approx(0.0524, abs=5e-5)
    assert comparison.interval.high == pytest.approx(0.3339, abs=5e-5)
    assert comparison.verdict == SIGNAL
    assert compare_shares((9, 10), (8, 10)).verdict == NOISE


@given(st.integers(0, 60), st.integers(0, 60))
def test_two_counts_are_compared_by_the_exact_binomial_interval(first: int, second: int) -> None:
    if first + second == 0:
        with pytest.raises(ValueError, match="something happened"):
            compare_counts((first, 1.0), (second, 1.0))
        return
    reference = stats.binomtest(second, first + second).proportion_ci(0.95, method="exact")
    comparison = compare_counts((first, 2.0), (second, 1.0))
    high = comparison.interval.high

    assert comparison.interval.low == pytest.approx(2 * reference.low / (1 - reference.low))
    assert (high is None) == (first == 0)
    if high is not None:
        assert high == pytest.approx(2 * reference.high / (1 - reference.high))


def test_a_rate_that_grew_fivefold_is_a_signal_and_one_that_did_not_is_noise() -> None:
    assert compare_counts((4, 1.0), (20, 1.0)).verdict == SIGNAL
    assert compare_counts((20, 1.0), (4, 1.0)).verdict == SIGNAL
    assert compare_counts((4, 1.0), (6, 1.0)).verdict == NOISE
    assert math.isinf(compare_counts((0, 1.0), (3, 1.0)).value)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_many_p_values_are_adjusted_as_scipy_does(p_values: list[float]) -> None:
    expected = stats.false_discovery_control(p_values, method="bh")

    assert adjust_many(p_values) == pytest.approx(list(expected))
