"""A single duration that is far longer than those of its kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import median

FEWEST = 8
THRESHOLD = 3.5
TO_NORMAL = 0.6745


@dataclass(frozen=True, slots=True)
class Slowness:
    """A duration beside those of its kind: modified z on logarithms, median, and the limit."""

    z: float
    n: int
    median: float
    limit: float
    longer_than: float

    @property
    def is_unusual(self) -> bool:
        """Whether it is far longer; what is short is no matter."""
        return self.z > THRESHOLD


def measure_slowness(seconds: float, others: Sequence[float]) -> Slowness | None:
    """How long it takes beside others of its kind (seconds, above 0; its own not among them).

    0.6745 (x - median) / MAD of logarithms, Iglewicz and Hoaglin, How to Detect and Handle
    Outliers (1993). None below 8 others, or where more than half took the same time.
    `longer_than` is the share of the others that took less.
    """
    known = [log(each) for each in others if each > 0]
    if len(known) < FEWEST or seconds <= 0:
        return None
    middle = median(known)
    spread = median(abs(each - middle) for each in known)
    if not spread:
        return None
    z = TO_NORMAL * (log(seconds) - middle) / spread
    limit = middle + THRESHOLD * spread / TO_NORMAL
    longer_than = sum(log(seconds) > each for each in known) / len(known)
    return Slowness(z, len(known), exp(middle), exp(limit), longer_than)
