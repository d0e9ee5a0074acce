"""Whether something that runs has run for longer than 99 of 100 of its kind. Pure."""

import math
from collections.abc import Sequence
from datetime import timedelta

FEWEST = 8
QUANTILE = 0.99


def usual_limit(durations: Sequence[timedelta]) -> timedelta | None:
    """The 0.99 quantile by the nearest rank (Hyndman and Fan 1996, type 1), in any order.

    None below 8: too few to say what is usual.
    """
    if len(durations) < FEWEST:
        return None
    return sorted(durations)[math.ceil(QUANTILE * len(durations)) - 1]


def is_stuck(lasted: timedelta, durations: Sequence[timedelta]) -> bool:
    """Longer than the usual limit; never where that cannot be said."""
    limit = usual_limit(durations)
    return limit is not None and lasted > limit
