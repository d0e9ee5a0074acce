"""Levels derived from answers, measurements and evidence: pure, the only place they come from."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from metrics.maturity.cells import Requirement, find_category_level, find_requirements
from metrics.maturity.explanation import explain_category
from metrics.maturity.model import MaturityModel
from metrics.maturity.ratings import Rating, rate_statements
from metrics.maturity.values import Answer, Measured, Rule


@dataclass(frozen=True, slots=True)
class Levels:
    """The level of each category, the overall level, and why each category stops where it does."""

    categories: Mapping[str, int]
    overall: int
    why: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Confidence:
    """How many of the statements up to the claimed levels something other than the team backs."""

    have: int
    of: int

    @property
    def share(self) -> float | None:
        """Return the share from 0 to 1, or None when no statement is applicable."""
        return self.have / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How many statements the next verified level needs, and how many it has."""

    level: int
    met: int
    needed: int
    missing: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class LevelResult:
    """All that follows from one team's answers; mappings go by category id."""

    model: MaturityModel
    rule: Rule
    claimed: Levels
    verified: Levels
    binding: tuple[str, ...]
    confidence: Confidence
    next: Mapping[str, Progress | None]
    undersold: tuple[str, ...]
    contradicted: tuple[str, ...]
    provisional: bool
    ratings: tuple[Rating, ...]

    def get_rating(self, statement_id: str) -> Rating:
        """Return one statement's rating; InputError when the model has no such statement."""
        position = self.model.statements.index(self.model.get_statement(statement_id))
        return self.ratings[position]


def derive_levels(
    model: MaturityModel,
    claimed: Mapping[str, Answer],
    measured: Mapping[str, Measured],
    evidence: Collection[str],
    rule: Rule | None = None,
) -> LevelResult:
    """Return claimed and verified levels (whole numbers from 1) and all that explains them.

    A statement not named is unanswered, or not measurable; `evidence` holds the ids whose
    evidence counts; without `rule` the model's own holds. InputError for an unknown id and for
    a value that is not on the statement's scale. Level rule: ISO/IEC 33020 or CMMI staging.
    """
    rule = rule or model.rule
    ratings = rate_statements(model, claimed, measured, evidence)
    claimed_levels = _find_levels(model, ratings, rule, lambda one: one.counted_claimed, False)
    verified_levels = _find_levels(model, ratings, rule, lambda one: one.counted_verified, True)
    return LevelResult(
        model=model,
        rule=rule,
        claimed=claimed_levels,
        verified=verified_levels,
        binding=_find_binding(model, verified_levels),
        confidence=_find_confidence(ratings, claimed_levels),
        next=_find_progress(model, ratings, rule, verified_levels),
        undersold=tuple(one.statement.id for one in ratings if one.is_undersold),
        contradicted=tuple(one.statement.id for one in ratings if one.is_contradicted),
        provisional=_is_provisional(ratings, claimed_levels),
        ratings=ratings,
    )


def _find_levels(
    model: MaturityModel,
    ratings: tuple[Rating, ...],
    rule: Rule,
    count: Callable[[Rating], Answer],
    is_verified: bool,
) -> Levels:
    counted = {one.statement.id: count(one) for one in ratings}
    by_id = {one.statement.id: one for one in ratings}
    categories = {
        category.id: find_category_level(model, category.id, counted, rule)
        for category in model.categories
    }
    why = {
        category: explain_category(
            model, category, level, counted, rule, by_id if is_verified else None
        )
        for category, level in categories.items()
    }
    return Levels(categories, min(categories.values()), why)


def _find_binding(model: MaturityModel, verified: Levels) -> tuple[str, ...]:
    if verified.overall == model.top_level:
        return ()
    return tuple(
        category for category, level in verified.categories.items() if level == verified.overall
    )


def _find_confidence(ratings: tuple[Rating, ...], claimed: Levels) -> Confidence:
    counting = [
        one
        for one in ratings
        if one.counted_claimed is not Answer.NOT_APPLICABLE
        and one.statement.level <= claimed.categories[one.statement.category]
    ]
    return Confidence(sum(one.is_supported for one in counting), len(counting))


def _find_progress(
    model: MaturityModel, ratings: tuple[Rating, ...], rule: Rule, verified: Levels
) -> dict[str, Progress | None]:
    counted = {one.statement.id: one.counted_verified for one in ratings}
    progress: dict[str, Progress | None] = {}
    for category, level in verified.categories.items():
        if level == model.top_level:
            progress[category] = None
            continue
        requirements = find_requirements(model, category, level + 1, counted, rule)
        missing = tuple(one for one in requirements if not one.is_met)
        met = len(requirements) - len(missing)
        progress[category] = Progress(level + 1, met, len(requirements), missing)
    return progress


def _is_provisional(ratings: tuple[Rating, ...], claimed: Levels) -> bool:
    return any(
        not one.is_answered
        for one in ratings
        if one.statement.level <= claimed.categories[one.statement.category] + 1
    )
