"""Whether somebody who usually speaks has been silent for longer than is usual. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

FEWEST_GAPS = 20
QUANTILE = 0.99


@dataclass(frozen=True, slots=True)
class Silence:
    """How long the silence has lasted, and the gap that 99 of 100 of its own gaps stay within."""

    lasted: timedelta
    usual: timedelta
    gaps: int

    @property
    def is_unusual(self) -> bool:
        """Longer than the usual gap."""
        return self.lasted > self.usual


def measure_silence(times: Sequence[datetime], now: datetime) -> Silence | None:
    """Compare the time since the last of `times` with the gaps between them, in any order.

    The usual gap is the 0.99 quantile of the gaps by the nearest rank (Hyndman and Fan 1996,
    type 1). None below 20 gaps: too few to say what is usual.
    """
    ordered = sorted(times)
    gaps = sorted(later - before for before, later in pairwise(ordered))
    if len(gaps) < FEWEST_GAPS:
        return None
    rank = math.ceil(QUANTILE * len(gaps))
    return Silence(now - ordered[-1], gaps[rank - 1], len(gaps))
