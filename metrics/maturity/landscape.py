"""What many teams have in common: contradictions, blockers, and how well claims match facts. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.maturity.cells import find_requirements
from metrics.maturity.model import MaturityModel, Statement
from metrics.maturity.values import RANKS, Answer, Measured, Rule

Statements = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Shared:
    """A statement and the teams it is said of, by name."""

    statement: Statement
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of the claims that have a measurement: how many match it, lie above it, lie below it."""

    matching: int
    above: int
    below: int

    @property
    def of(self) -> int:
        """How many claims were compared."""
        return self.matching + self.above + self.below

    @property
    def share(self) -> float | None:
        """The share (0 to 1) that match; None where nothing was compared."""
        return self.matching / self.of if self.of else None


def find_shared(model: MaturityModel, said: Mapping[str, Iterable[str]]) -> tuple[Shared, ...]:
    """The statements said of teams (name → ids), those of most teams first, then by the model.

    Ids the model does not have are left out.
    """
    teams: dict[str, list[str]] = {}
    for team in sorted(said):
        for statement_id in said[team]:
            teams.setdefault(statement_id, []).append(team)
    found = [
        Shared(statement, tuple(teams[statement.id]))
        for statement in model.statements
        if statement.id in teams
    ]
    return tuple(sorted(found, key=lambda each: -len(each.teams)))


def find_blockers(
    model: MaturityModel, statements: Statements, categories: Mapping[str, int], rule: Rule
) -> tuple[str, ...]:
    """The ids that keep a team's categories from their next verified level.

    `statements` are those of a kept result, `categories` its verified levels.
    """
    counted = {
        one.id: Answer(statements[one.id]["counted"]) if one.id in statements else one.scale[0]
        for one in model.statements
    }
    return tuple(
        requirement.statement.id
        for category, level in categories.items()
        if level < model.top_level
        for requirement in find_requirements(model, category, level + 1, counted, rule)
        if not requirement.is_met
    )


def calibrate(results: Iterable[Statements]) -> Calibration:
    """How claims compare with measurements over kept results; insufficient data is left out."""
    found: Counter[int] = Counter()
    for statements in results:
        for one in statements.values():
            if not one["measured"] or one["measured"] == Measured.INSUFFICIENT:
                continue
            claimed = Answer(one["claimed"])
            if claimed.is_on_scale:
                gap = RANKS[claimed] - RANKS[Answer(one["measured"])]
                found[(gap > 0) - (gap < 0)] += 1
    return Calibration(found[0], found[1], found[-1])


def count_levels(levels: Sequence[int], top_level: int) -> tuple[int, ...]:
    """How many of the levels are 1, 2 … up to the top one."""
    return tuple(levels.count(number) for number in range(1, top_level + 1))
