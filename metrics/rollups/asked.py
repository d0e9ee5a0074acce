"""What a result is made of."""

from dataclasses import dataclass
from typing import Any

from metrics.measures.results import Question

from .base import Where
from .figures import Figures, Tallied
from .tallies import Tally

LISTED = 1000  # ids named in a result; counts tell of all of them


@dataclass(frozen=True, slots=True)
class Asked:
    """All that a result is made of."""

    figures: Figures
    names: dict[int, str]
    question: Question
    where: Where
    tallied: Tallied
    shared: dict[str, Any]
    is_whole: bool

    @property
    def tally(self) -> Tally:
        """What was counted in the period."""
        return self.tallied.tally
