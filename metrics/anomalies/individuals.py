"""XmR: single values held against the moving range of those before them."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from .base import NEAR, OUTSIDE, SIDE, Finding, Limits, choose_baseline, merge_runs

WIDTH = 2.66  # 3 / 1.128, as Wheeler rounds it
ON_ONE_SIDE = 8
OF_NEAR, NEARER = 4, 3


def find_limits(values: Sequence[float]) -> Limits:
    """Mean ± 2.66 times the mean moving range of at least two values, in their unit.

    Wheeler, Understanding Variation (1993). Raises ValueError for fewer.
    """
    if len(values) < 2:
        raise ValueError("A moving range needs two values.")
    centre = fmean(values)
    reach = WIDTH * fmean(abs(after - before) for before, after in pairwise(values))
    return Limits(len(values), centre, centre - reach, centre + reach)


def judge_individuals(values: Sequence[float], judged_from: int) -> list[Finding]:
    """What is unusual about the points from `judged_from` on: outside, eight on a side, near.

    Nothing below a baseline of ten, nor where the baseline never varies: it has no limits then.
    """
    chosen = choose_baseline(len(values), judged_from)
    if chosen is None:
        return []
    limits = find_limits(values[chosen])
    if limits.low == limits.high:
        return []
    judged = range(chosen.stop, len(values))
    return [
        *_find_outside(values, limits, judged),
        *_find_side(values, limits, judged),
        *_find_near(values, limits, judged),
    ]


def _find_outside(values: Sequence[float], limits: Limits, judged: range) -> list[Finding]:
    low, high = limits.low, limits.high
    return [
        Finding(OUTSIDE, place, place, values[place], limits, values[place] > limits.centre)
        for place in judged
        if (low is not None and values[place] < low) or (high is not None and values[place] > high)
    ]


def _find_side(values: Sequence[float], limits: Limits, judged: range) -> list[Finding]:
    """Runs of eight or more on one side of the centre that reach into what is judged."""
    return [
        Finding(SIDE, first, last, values[last], limits, values[last] > limits.centre)
        for first, last in find_runs([value - limits.centre for value in values])
        if last in judged
    ]


def find_runs(differences: Sequence[float]) -> list[tuple[int, int]]:
    """First and last position of each longest run of at least eight of one sign; 0 ends a run."""
    runs, start = [], 0
    for place in range(len(differences) + 1):
        is_over = place == len(differences)
        if not is_over and differences[place] * differences[start] > 0:
            continue
        if place - start >= ON_ONE_SIDE and differences[start]:
            runs.append((start, place - 1))
        start = place
    return runs


def _find_near(values: Sequence[float], limits: Limits, judged: range) -> list[Finding]:
    """Three of four in a row nearer a limit than the centre, all three on the same side."""
    found = []
    reach = (limits.high or limits.centre) - limits.centre
    for sign in (1, -1):
        is_near = [sign * (value - limits.centre) > reach / 2 for value in values]
        places = [
            (first, first + OF_NEAR - 1)
            for first in range(len(values) - OF_NEAR + 1)
            if sum(is_near[first : first + OF_NEAR]) >= NEARER
        ]
        found += [
            Finding(NEAR, first, last, values[last], limits, sign > 0)
            for first, last in merge_runs(places)
            if last in judged
        ]
    return found
