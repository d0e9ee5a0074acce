"""Which few statements, done better, would lift a verified level."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from metrics.maturity.cells import find_category_level, find_requirements
from metrics.maturity.levels import LevelResult
from metrics.maturity.ratings import rate_statements
from metrics.maturity.values import Answer, Measured

MOST_STATEMENTS = 3


@dataclass(frozen=True, slots=True)
class Improvement:
    """One statement and the verified value it needs."""

    statement_id: str
    to: Answer


@dataclass(frozen=True, slots=True)
class Lift:
    """Improvements that together raise a verified level by one; no category means overall."""

    category: str | None
    from_level: int
    to_level: int
    improvements: tuple[Improvement, ...]


def find_lifts(result: LevelResult, category: str | None = None) -> tuple[Lift, ...]:
    """Return the smallest sets of one to three statements that raise a verified level by one.

    For a category, or for the overall level when none is named. All sets of the smallest size
    come back, in the order of the model, each with the least value (verified: measured, or
    claimed with accepted evidence) that is enough. Empty at the top level, when more than three
    statements are missing, and when a level has no applicable practice. Tried are the missing
    statements of the categories to be raised and what supersedes or shows them, in sets that
    leave none out. KeyError for a category the model does not have.
    """
    level = result.verified.overall if category is None else result.verified.categories[category]
    if level == result.model.top_level:
        return ()
    wanted = result.binding if category is None else (category,)
    search = _Search(result, wanted, level + 1)
    for size in range(1, MOST_STATEMENTS + 1):
        lifts = tuple(
            Lift(category, level, level + 1, search.lower(chosen))
            for chosen in combinations(search.find_candidates(), size)
            if search.covers(chosen) and search.reaches(dict.fromkeys(chosen))
        )
        if lifts:
            return lifts
    return ()


class _Search:
    """The answers of one result, tried with some statements improved."""

    def __init__(self, result: LevelResult, categories: Collection[str], target: int) -> None:
        self._model = result.model
        self._rule = result.rule
        self._categories = categories
        self._target = target
        self._ratings = {one.statement.id: one for one in result.ratings}
        # For each missing statement, the ids of which one has to be better.
        self._ways = tuple(self._find_ways())

    def find_candidates(self) -> tuple[str, ...]:
        """Return the ids worth trying, in the order of the model."""
        wanted = frozenset().union(*self._ways)
        return tuple(one.id for one in self._model.statements if one.id in wanted)

    def covers(self, chosen: tuple[str, ...]) -> bool:
        """Tell whether each missing statement is among the chosen, itself or by another."""
        return all(not ways.isdisjoint(chosen) for ways in self._ways)

    def reaches(self, improved: Mapping[str, Answer | None]) -> bool:
        """Tell whether the target level is reached; None stands for the best value there is."""
        claimed: dict[str, Answer] = {}
        measured: dict[str, Measured] = {}
        evidence: set[str] = set()
        for statement_id, rating in self._ratings.items():
            if statement_id in improved:
                value = improved[statement_id] or rating.statement.scale[-1]
                claimed[statement_id] = value
                evidence.add(statement_id)
                continue
            claimed[statement_id] = rating.claimed
            if rating.measured is not None:
                measured[statement_id] = rating.measured
            if rating.has_evidence:
                evidence.add(statement_id)
        ratings = rate_statements(self._model, claimed, measured, evidence)
        counted = {one.statement.id: one.counted_verified for one in ratings}
        return all(
            find_category_level(self._model, category, counted, self._rule) >= self._target
            for category in self._categories
        )

    def lower(self, chosen: tuple[str, ...]) -> tuple[Improvement, ...]:
        """Return the chosen statements, each with the least value that still reaches the target."""
        improved: dict[str, Answer | None] = {
            statement_id: self._ratings[statement_id].statement.scale[-1] for statement_id in chosen
        }
        for statement_id in chosen:
            improved[statement_id] = next(
                value
                for value in self._ratings[statement_id].statement.scale
                if self.reaches({**improved, statement_id: value})
            )
        return tuple(
            Improvement(statement_id, value) for statement_id, value in improved.items() if value
        )

    def _find_ways(self) -> Iterator[frozenset[str]]:
        counted = {key: one.counted_verified for key, one in self._ratings.items()}
        for category in self._categories:
            for one in find_requirements(self._model, category, self._target, counted, self._rule):
                if one.is_met:
                    continue
                ways = {one.statement.id}
                for other in (one.statement.superseded_by, one.statement.shown_by):
                    # Agreed not to apply: nothing to be done better there.
                    if other and counted[other] is not Answer.NOT_APPLICABLE:
                        ways.add(other)
                yield frozenset(ways)
