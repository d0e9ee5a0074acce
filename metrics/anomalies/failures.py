"""g-chart: how many deployments lie between failures, for failures too rare to count by week."""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, log, log1p
from statistics import fmean

from .base import FAR_APART, Finding, Limits, choose_baseline
from .individuals import find_runs

TAIL = 0.00135


def count_between(failed: Sequence[bool]) -> list[tuple[int, int]]:
    """For each failure but the first: its position, and how many good ones since the one before."""
    places = [place for place, has_failed in enumerate(failed) if has_failed]
    return [(after, after - before - 1) for before, after in pairwise(places)]


def find_limits(gaps: Sequence[int]) -> Limits:
    """Probability limits (0.00135 each side) of a geometric distribution with the mean of `gaps`.

    Benneyan, Health Care Management Science 4 (2001) 305: the limits by three standard
    deviations have no lower one, and it is failures that come closer which matter. `centre` is
    the median, so that runs on one side have even chances.
    """
    chance = 1 / (fmean(gaps) + 1)
    if chance >= 1:
        return Limits(len(gaps), 0.0, 0.0, 0.0)
    low = max(0, ceil(log1p(-TAIL) / log1p(-chance)) - 1)
    high = max(0, ceil(log(TAIL) / log1p(-chance)) - 1)
    middle = max(0, floor(log(0.5) / log1p(-chance)))
    return Limits(len(gaps), float(middle), float(low), float(high))


def judge_failures(failed: Sequence[bool], judged_from: int) -> list[Finding]:
    """What is unusual about the failures at or after position `judged_from` of all deployments.

    A gap outside the limits, or eight gaps in a row on one side of the median; positions are
    those of the deployments. Nothing below a baseline of ten gaps.
    """
    between = count_between(failed)
    gaps = [gap for _, gap in between]
    first_judged = sum(place < judged_from for place, _ in between)
    chosen = choose_baseline(len(gaps), first_judged)
    if chosen is None:
        return []
    limits = find_limits(gaps[chosen])
    low, high = limits.low or 0.0, limits.high or 0.0
    found = [
        Finding(FAR_APART, place - gap - 1, place, float(gap), limits, is_high=gap > limits.centre)
        for place, gap in between[chosen.stop :]
        if gap < low or gap > high
    ]
    for first, last in find_runs([gap - limits.centre for gap in gaps]):
        if last >= chosen.stop:
            value = fmean(gaps[first : last + 1])
            begin = between[first][0] - gaps[first] - 1
            found.append(
                Finding(FAR_APART, begin, between[last][0], value, limits, value > limits.centre)
            )
    return found
