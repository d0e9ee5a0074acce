"""What differs between two written results of a team."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from metrics.maturity.model import MaturityModel, Statement
from metrics.maturity.values import RANKS, Answer


@dataclass(frozen=True, slots=True)
class Moved:
    """A statement whose claimed or verified value differs; None where it was not asked before."""

    statement: Statement
    claimed_before: Answer | None
    claimed: Answer
    verified_before: Answer | None
    verified: Answer

    @property
    def direction(self) -> int:
        """1 where the verified value (else the claimed one) rose, -1 where it fell, else 0."""
        for before, after in (
            (self.verified_before, self.verified),
            (self.claimed_before, self.claimed),
        ):
            if before in RANKS and after in RANKS and before != after:
                return 1 if RANKS[after] > RANKS[before] else -1
        return 0


def find_moved(
    model: MaturityModel, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Moved, ...]:
    """Return the statements whose values differ, in the order of the model.

    Both are results as `metrics.standing.write_result` writes them; statements are told by id, so
    that results of different versions can be compared.
    """
    found = []
    for statement in model.statements:
        then, now = before["statements"].get(statement.id), after["statements"].get(statement.id)
        if now is None:
            continue
        values = (now["claimed"], now["verified"])
        if then is not None and (then["claimed"], then["verified"]) == values:
            continue
        found.append(
            Moved(
                statement,
                Answer(then["claimed"]) if then else None,
                Answer(now["claimed"]),
                Answer(then["verified"]) if then else None,
                Answer(now["verified"]),
            )
        )
    return tuple(found)
