"""The levels there would be if some statements were done."""

from collections.abc import Collection

from metrics.maturity.levels import LevelResult, derive_levels
from metrics.maturity.ratings import Rating
from metrics.maturity.values import Answer


def suppose(result: LevelResult, fixed: Collection[str]) -> LevelResult:
    """Return the result with the fixed statements at the top of their scale and carried.

    Everything else stays: answers, measurements, evidence. InputError for an id the model does
    not have.
    """
    for statement_id in fixed:
        result.model.get_statement(statement_id)
    claimed, measured, evidence = {}, {}, set()
    for rating in result.ratings:
        statement = rating.statement
        if statement.id in fixed:
            claimed[statement.id] = statement.scale[-1]
            evidence.add(statement.id)
            continue
        claimed[statement.id] = rating.claimed
        if rating.measured is not None:
            measured[statement.id] = rating.measured
        if rating.has_evidence:
            evidence.add(statement.id)
    return derive_levels(result.model, claimed, measured, evidence, result.rule)


def find_fixable(result: LevelResult) -> tuple[Rating, ...]:
    """Return what can still be done: applicable, and not verified at the top of its scale."""
    return tuple(
        rating
        for rating in result.ratings
        if rating.counted_verified is not Answer.NOT_APPLICABLE
        and rating.counted_verified is not rating.statement.scale[-1]
    )
