"""Statistics for small numbers: intervals, percentiles, survival, verdicts. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt
from statistics import NormalDist

from scipy import special

CONFIDENCE = 0.95
COUNT_BELOW, MUTED_BELOW = 5, 20
MINIMUM_N = {0.5: 5, 0.75: 12, 0.9: 30}
MEETS, MISSES = "meets", "misses"
TOO_CLOSE, NOT_ENOUGH = "too close to call", "not enough data"
SIGNAL, NOISE = "signal", "within noise"
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Interval:
    """A range that holds the true value with 95 % confidence; None is an open end."""

    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile, its interval, and the n behind it; value None where n is too small."""

    q: float
    n: int
    value: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A difference or ratio of two periods with its interval: signal or within noise."""

    value: float
    interval: Interval
    verdict: str


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """Kaplan–Meier: at each of `times` the share `remaining` without the event drops."""

    times: tuple[float, ...]
    remaining: tuple[float, ...]
    n: int

    def median(self, minimum_n: int = 5) -> float | None:
        """The smallest time by which half have had the event; None if never, or n too small."""
        if self.n < minimum_n:
            return None
        for time, remaining in zip(self.times, self.remaining, strict=True):
            if remaining <= 0.5 + _TINY:
                return time
        return None

    def share_at(self, time: float) -> float | None:
        """The share (0–1) that has had the event by `time`; None without any unit."""
        if not self.n:
            return None
        index = bisect_right(self.times, time) - 1
        return 1.0 - self.remaining[index] if index >= 0 else 0.0


def _check_counts(successes: float, n: int) -> None:
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no proportion.")


def _score_bounds(successes: int, n: int, confidence: float) -> tuple[float, float]:
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At the ends the bound is exact; rounding would leave it a hair outside.
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    return low, 1.0 if successes == n else min(1.0, middle + half)


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson score interval (fractions) of a proportion, no continuity correction.

    E. B. Wilson, JASA 22 (1927) 209. Raises ValueError for n = 0 or counts out of range.
    """
    _check_counts(successes, n)
    return Interval(*_score_bounds(successes, n, confidence))


def garwood(count: int, confidence: float = CONFIDENCE) -> Interval:
    """Exact interval of a Poisson mean (events in the same span) from one count.

    F. Garwood, Biometrika 28 (1936) 437. Raises ValueError for a negative count.
    """
    if count < 0:
        raise ValueError(f"{count} is no count.")
    tail = (1 - confidence) / 2
    low = float(special.gammaincinv(count, tail)) if count else 0.0
    return Interval(low, float(special.gammaincinv(count + 1, 1 - tail)))


def interpolate_percentile(ordered: Sequence[float], q: float) -> float:
    """Percentile q (0–1) of ascending values by linear interpolation, in their unit.

    Type 7 of Hyndman and Fan, The American Statistician 50 (1996) 361. Raises ValueError
    for no values or q outside 0–1.
    """
    if not ordered or not 0 <= q <= 1:
        raise ValueError("A percentile needs values, and q between 0 and 1.")
    place = (len(ordered) - 1) * q
    below, above = floor(place), ceil(place)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _binomial_quantile(probability: float, n: int, share: float) -> int:
    """The smallest k with P(X ≤ k) ≥ probability for X binomial(n, share)."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if special.bdtr(middle, n, share) >= probability:
            high = middle
        else:
            low = middle + 1
    return low


def bound_percentile(
    ordered: Sequence[float], q: float, confidence: float = CONFIDENCE
) -> Interval | None:
    """Distribution-free interval of percentile q between two order statistics.

    An end that no order statistic bounds with that confidence is open; None if both are.
    Hahn and Meeker, Statistical Intervals (1991), section 5.2. Unit: that of the values.
    """
    n = len(ordered)
    if not n:
        return None
    tail = (1 - confidence) / 2
    lower = _binomial_quantile(tail, n, q)
    upper = _binomial_quantile(1 - tail, n, q) + 1
    low = ordered[lower - 1] if lower >= 1 else None
    high = ordered[upper - 1] if upper <= n else None
    return None if low is None and high is None else Interval(low, high)


def measure_percentile(ordered: Sequence[float], q: float) -> Percentile:
    """Percentile q with its interval: p50 from n = 5, p75 from 12, p90 from 30.

    `ordered` ascends. Raises KeyError for a q without a smallest n.
    """
    n = len(ordered)
    if n < MINIMUM_N[q]:
        return Percentile(q, n, None, None)
    return Percentile(q, n, interpolate_percentile(ordered, q), bound_percentile(ordered, q))


def kaplan_meier(spans: Sequence[tuple[float, bool]]) -> SurvivalCurve:
    """Product-limit curve of (duration, whether the event came; False = censored).

    Kaplan and Meier, JASA 53 (1958) 457; what is censored at the time of an event was
    still at risk. Unit: that of the durations.
    """
    ordered = sorted(spans, key=lambda span: (span[0], not span[1]))
    at_risk = n = len(ordered)
    times: list[float] = []
    remaining: list[float] = []
    share = 1.0
    index = 0
    while index < n:
        time = ordered[index][0]
        events = leaving = 0
        while index < n and ordered[index][0] == time:
            events += ordered[index][1]
            leaving += 1
            index += 1
        if events:
            share *= 1 - events / at_risk
            times.append(time)
            remaining.append(share)
        at_risk -= leaving
    return SurvivalCurve(tuple(times), tuple(remaining), n)


def judge_target(
    interval: Interval | None, target: float, n: int, higher_is_better: bool = True
) -> str:
    """Whether the whole interval lies on one side of the target (same unit).

    Answers meets, misses, too close to call, or not enough data (n < 5 or no interval).
    """
    if interval is None or n < COUNT_BELOW:
        return NOT_ENOUGH
    low = float("-inf") if interval.low is None else interval.low
    high = float("inf") if interval.high is None else interval.high
    if not higher_is_better:
        low, high, target = -high, -low, -target
    if low >= target:
        return MEETS
    return MISSES if high < target else TOO_CLOSE


def describe_size(n: int) -> str:
    """How a figure from n units is shown: count (k of n), muted, or full."""
    if n < COUNT_BELOW:
        return "count"
    return "muted" if n < MUTED_BELOW else "full"


def compare_shares(before: tuple[int, int], after: tuple[int, int]) -> Comparison:
    """The difference after − before of two proportions, each (successes, n).

    Newcombe's hybrid score interval, Statistics in Medicine 17 (1998) 873, method 10.
    Raises ValueError for n = 0 or counts out of range.
    """
    _check_counts(*before)
    _check_counts(*after)
    share, other = before[0] / before[1], after[0] / after[1]
    share_low, share_high = _score_bounds(*before, CONFIDENCE)
    other_low, other_high = _score_bounds(*after, CONFIDENCE)
    difference = other - share
    low = difference - sqrt((other - other_low) ** 2 + (share_high - share) ** 2)
    high = difference + sqrt((other_high - other) ** 2 + (share - share_low) ** 2)
    return Comparison(difference, Interval(low, high), NOISE if low <= 0 <= high else SIGNAL)


def compare_counts(before: tuple[int, float], after: tuple[int, float]) -> Comparison:
    """The ratio after ÷ before of two Poisson rates, each (count, exposure > 0).

    Given the sum, one count is binomial: Przyborowski and Wilenski, Biometrika 31 (1940)
    313, with the exact (Clopper–Pearson) interval turned into one of the ratio. Raises
    ValueError where no event happened at all, or without exposure.
    """
    (first, span), (second, other) = before, after
    total = first + second
    if total == 0 or span <= 0 or other <= 0:
        raise ValueError("Rates are compared where something happened in some time.")
    tail = (1 - CONFIDENCE) / 2
    low = float(special.betaincinv(second, first + 1, tail)) if second else 0.0
    high = float(special.betaincinv(second + 1, first, 1 - tail)) if first else 1.0
    scale = span / other
    bounds = Interval(low / (1 - low) * scale, high / (1 - high) * scale if high < 1 else None)
    ratio = second / first * scale if first else float("inf")
    above = bounds.low is not None and bounds.low > 1
    below = bounds.high is not None and bounds.high < 1
    return Comparison(ratio, bounds, SIGNAL if above or below else NOISE)


def adjust_many(p_values: Sequence[float]) -> tuple[float, ...]:
    """Benjamini–Hochberg adjusted p-values, in the order given.

    Benjamini and Hochberg, J. R. Stat. Soc. B 57 (1995) 289.
    """
    n = len(p_values)
    ranked = sorted(range(n), key=lambda index: p_values[index], reverse=True)
    adjusted = [1.0] * n
    smallest = 1.0
    for place, index in enumerate(ranked):
        smallest = min(smallest, p_values[index] * n / (n - place))
        adjusted[index] = smallest
    return tuple(adjusted)
