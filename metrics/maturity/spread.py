"""How far apart the answers are that members gave alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from metrics.maturity.values import RANKS, Answer

# From two steps apart on the scale a team talks about it (MATURITY.md, the assessment).
DISCUSSED_FROM = 2


@dataclass(frozen=True, slots=True)
class Spread:
    """Steps between the lowest and the highest answer on the scale, and whether all said the same."""

    width: int
    is_unanimous: bool

    @property
    def is_wide(self) -> bool:
        """Far enough apart to be what the team discusses."""
        return self.width >= DISCUSSED_FROM


def find_spread(answers: Sequence[Answer]) -> Spread:
    """Return the spread of answers to one statement; don't know and not applicable have no step.

    Unanimous are at least two answers that are the same and on the scale.
    """
    ranks = [RANKS[answer] for answer in answers if answer.is_on_scale]
    width = max(ranks) - min(ranks) if ranks else 0
    same = len(answers) > 1 and len(ranks) == len(answers) and width == 0
    return Spread(width, same)
