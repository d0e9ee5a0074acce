"""Why a category stops at its level, in sentences that name the statements."""

from collections.abc import Mapping

from metrics.maturity.cells import (
    Requirement,
    find_cap,
    find_empty_levels,
    find_requirements,
)
from metrics.maturity.model import MaturityModel
from metrics.maturity.ratings import Rating, find_measurement
from metrics.maturity.values import Answer, Rule


def explain_category(
    model: MaturityModel,
    category: str,
    level: int,
    counted: Mapping[str, Answer],
    rule: Rule,
    ratings: Mapping[str, Rating] | None,
) -> tuple[str, ...]:
    """Return one sentence for each thing that keeps a category from the level above.

    `counted` are the values the level was derived from. With `ratings` they are the verified
    ones, and each sentence says why a value is what it is. Empty at the model's top level.
    """
    if level == model.top_level:
        return ()
    target = level + 1
    sentences = [
        f"Level {number} has no applicable practice; not applicable earns nothing."
        for number in find_empty_levels(model, category, target, counted)
    ]
    for requirement in find_requirements(model, category, target, counted, rule):
        if requirement.is_met:
            continue
        rating = ratings[requirement.statement.id] if ratings else None
        sentences.append(_explain(requirement, target, rating))
    return tuple(sentences)


def _explain(requirement: Requirement, target: int, rating: Rating | None) -> str:
    statement, value = requirement.statement, requirement.value
    quoted = f"“{statement.text.rstrip('.')}”"
    reason = f" ({_find_reason(rating)})" if rating else ""
    if statement.is_symptom:
        cap = find_cap(statement, value)
        return f"{quoted} is {value.label}{reason}; that caps the category at level {cap}."
    where = f" of level {statement.level}" if statement.level < target else ""
    return (
        f"Level {target} needs {requirement.needed.label} for {quoted}{where}; "
        f"it is {value.label}{reason}."
    )


def _find_reason(rating: Rating) -> str:
    if rating.is_superseded:
        return "the value of the statement that supersedes it"
    claimed, measured = rating.claimed, find_measurement(rating.measured)
    if not claimed.is_on_scale:
        return "not answered" if claimed is Answer.UNANSWERED else "answered don't know"
    if rating.is_contradicted and measured is not None:
        return f"claimed {claimed.label}, measured {measured.label}"
    if rating.is_undersold and measured is not None:
        return f"claimed {claimed.label}, although measured {measured.label}"
    if claimed is not rating.verified:
        return f"claimed {claimed.label}, with no measurement and no accepted evidence"
    return "as claimed"
