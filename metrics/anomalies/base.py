"""What a rule answers, and which points are the baseline of which."""

from collections.abc import Sequence
from dataclasses import dataclass

BASELINE, LONGEST_BASELINE = 10, 100
OUTSIDE, SIDE, NEAR = "outside", "side", "near"
SHARE, FAR_APART, SHIFT, SLOW, SILENCE = "share", "failures", "shift", "slow", "silence"


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the points of a baseline of `n` usually lie; `low` and `high` may be open."""

    n: int
    centre: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: the points `first` to `last` by position, and what they were held against.

    `value` is that of the last point, `is_high` on which side of the centre it lies.
    """

    rule: str
    first: int
    last: int
    value: float
    limits: Limits
    is_high: bool


def choose_baseline(n: int, judged_from: int) -> slice | None:
    """The points that those from `judged_from` on are held against; None below ten.

    Where fewer lie before it, the first ten are the baseline and the others are judged.
    """
    end = max(BASELINE, min(judged_from, n))
    if n <= BASELINE:
        return None
    return slice(max(0, end - LONGEST_BASELINE), end)


def merge_runs(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches that overlap or touch as one; ordered by where they begin."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(places):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
