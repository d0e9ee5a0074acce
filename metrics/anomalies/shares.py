"""p-chart: shares of changing n held against the pooled share before them."""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from statistics import fmean

from scipy import special

from .base import SHARE, Finding, Limits, choose_baseline

Count = tuple[int, int]  # how many of how many, the latter above 0
SMALL = 10
# What lies beyond three standard deviations of a normal distribution.
TAIL = 0.0027
BIAS = 1.128  # of the mean moving range of standard normal values
DISPERSED = 0.05


def judge_shares(counts: Sequence[Count], judged_from: int) -> list[Finding]:
    """The points from `judged_from` on whose share is unusual, against at least ten before them.

    Limits p̄ ± 3 σ; wider by Laney's factor where the baseline varies more than a binomial would;
    below n = 10 the exact binomial tail instead, at 0.0027 two-sided.
    """
    chosen = choose_baseline(len(counts), judged_from)
    if chosen is None:
        return []
    baseline = counts[chosen]
    share = pool_share(baseline)
    factor = find_laney(baseline, share)
    found = []
    for place in range(chosen.stop, len(counts)):
        k, n = counts[place]
        limits = find_limits(share, n, factor, len(baseline))
        if is_unusual(k, n, share, limits):
            found.append(Finding(SHARE, place, place, k / n, limits, k / n > share))
    return found


def pool_share(counts: Sequence[Count]) -> float:
    """Σk ÷ Σn. Where it is 0 or 1 the Jeffreys mean, since no share is certain for ever."""
    k, n = sum(k for k, _ in counts), sum(n for _, n in counts)
    return k / n if 0 < k < n else (k + 0.5) / (n + 1)


def find_laney(counts: Sequence[Count], share: float) -> float:
    """Laney's σz, at least 1: 1 unless the baseline is overdispersed (χ² test at 5 %).

    D. B. Laney, Quality Engineering 14 (2002) 531.
    """
    scores = [(k / n - share) / sqrt(share * (1 - share) / n) for k, n in counts]
    dispersion = sum(score * score for score in scores)
    if special.chdtrc(len(scores) - 1, dispersion) >= DISPERSED:
        return 1.0
    ranges = fmean(abs(after - before) for before, after in pairwise(scores))
    return max(1.0, ranges / BIAS)


def find_limits(share: float, n: int, factor: float, baseline: int) -> Limits:
    """The limits of a point of `n` units, fractions."""
    if n < SMALL:
        low, high = _find_tails(share, n)
        return Limits(baseline, share, low, high)
    reach = 3 * factor * sqrt(share * (1 - share) / n)
    return Limits(baseline, share, max(0.0, share - reach), min(1.0, share + reach))


def is_unusual(k: int, n: int, share: float, limits: Limits) -> bool:
    """Whether `k` of `n` lies outside; below n = 10 by the exact tail."""
    if n < SMALL:
        below, above = special.bdtr(k, n, share), special.bdtrc(k - 1, n, share) if k else 1.0
        return bool(min(below, above) < TAIL / 2)
    low, high = limits.low or 0.0, 1.0 if limits.high is None else limits.high
    return k / n < low or k / n > high


def _find_tails(share: float, n: int) -> tuple[float, float]:
    """The least and the greatest share that is not unusual."""
    usual = [k for k in range(n + 1) if not is_unusual(k, n, share, Limits(0, share, None, None))]
    return (usual[0] / n, usual[-1] / n) if usual else (share, share)
