"""Where one can stop asking: above a level that does not hold no higher one can."""

from collections.abc import Collection

from metrics.maturity.cells import holds_cell
from metrics.maturity.levels import LevelResult


def find_stop(result: LevelResult, category: str, answered: Collection[str]) -> int | None:
    """Return the lowest level of a category at which asking may stop, or None.

    There every statement up to the level is answered, its practices do not hold as claimed, and a
    higher statement is still unanswered. Stepping stones count by what supersedes them.
    """
    model = result.model
    counted = {one.statement.id: one.counted_claimed for one in result.ratings}
    statements = model.get_statements(category)
    for level in range(2, model.top_level):
        if any(one.id not in answered for one in statements if one.level <= level):
            return None
        if not holds_cell(model, category, level, counted, result.rule):
            higher = [one for one in statements if one.level > level]
            return level if any(one.id not in answered for one in higher) else None
    return None
