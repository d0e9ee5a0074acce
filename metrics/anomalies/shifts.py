"""Lasting shift: where the level of a weekly series changed for good."""

from collections.abc import Sequence
from itertools import pairwise
from math import log
from statistics import fmean, median

import numpy as np
from ruptures.detection import Pelt

from .base import SHIFT, Finding, Limits

FEWEST = 20
LASTING = 4  # weeks a level must hold
PENALTY = 4.0
TO_SIGMA = 1.4826  # median absolute deviation → standard deviation of a normal distribution


def find_shift(values: Sequence[float], judged_from: int) -> Finding | None:
    """The last change of level at or after `judged_from`; None below 20 points or without one.

    PELT with the squared-error cost (Killick, Fearnhead and Eckley, JASA 107 (2012) 1590), every
    position tried, at least four weeks a level, penalty 4 σ² log n with σ from the differences,
    which a shift hardly touches.
    """
    sigma = find_noise(values) if len(values) >= FEWEST else 0.0
    if not sigma:
        return None
    signal = np.asarray(values, dtype=float).reshape(-1, 1)
    search = Pelt(model="l2", min_size=LASTING, jump=1).fit(signal)
    places = search.predict(pen=PENALTY * sigma * sigma * log(len(values)))[:-1]
    if not places or places[-1] < judged_from:
        return None
    place = places[-1]
    before = values[places[-2] if len(places) > 1 else 0 : place]
    centre, now = fmean(before), fmean(values[place:])
    limits = Limits(len(before), centre, None, None)
    return Finding(SHIFT, place, len(values) - 1, now, limits, now > centre)


def find_noise(values: Sequence[float]) -> float:
    """The standard deviation of a series around its level, from its differences."""
    steps = [after - before for before, after in pairwise(values)]
    middle = median(steps)
    spread = median(abs(step - middle) for step in steps) * TO_SIGMA
    spread = spread or float(np.std(steps))
    return spread / 2**0.5
