"""Why a verified level is another than it was: the statements, and what is new about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metrics.maturity.cells import find_requirements
from metrics.maturity.model import Category, MaturityModel, Statement
from metrics.maturity.values import RANKS, Answer, Measured

MOST_CAUSES = 3


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a team stood: verified levels by category, and each statement's values by its id.

    `counted` are the verified values the levels came from; `counterexamples` what spoke against
    a statement, in words by key, the excused left out.
    """

    categories: Mapping[str, int]
    claimed: Mapping[str, Answer]
    measured: Mapping[str, Measured]
    counted: Mapping[str, Answer]
    counterexamples: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Change:
    """A category's verified level is another than before, and why, in a sentence."""

    category: str
    before: int
    after: int
    sentence: str


def explain_changes(model: MaturityModel, before: Stand, after: Stand) -> tuple[Change, ...]:
    """One change for each category whose verified level moved, in the order of the model.

    A fall names what speaks against the statements that no longer hold and was not there before;
    a rise names the statements that hold now. Raises KeyError where a stand lacks a category.
    """
    changes = []
    for category in model.categories:
        was, now = before.categories[category.id], after.categories[category.id]
        if was != now:
            causes = _find_causes(model, category, before, after)
            sentence = _tell(category, was, now, causes)
            changes.append(Change(category.id, was, now, sentence))
    return tuple(changes)


def _find_causes(
    model: MaturityModel, category: Category, before: Stand, after: Stand
) -> list[str]:
    was, now = before.categories[category.id], after.categories[category.id]
    lacking = after if now < was else before
    causes: dict[str, None] = {}
    for requirement in find_requirements(
        model, category.id, max(was, now), lacking.counted, model.rule
    ):
        statement = requirement.statement
        if requirement.is_met or before.counted[statement.id] is after.counted[statement.id]:
            continue
        found = (
            _tell_fall(statement, before, after)
            if now < was
            else [_tell_value(statement, after.counted[statement.id])]
        )
        causes.update(dict.fromkeys(found))
    return list(causes)


def _tell_fall(statement: Statement, before: Stand, after: Stand) -> list[str]:
    """What is new against a statement, the nearest to the facts first."""
    known = before.counterexamples.get(statement.id, {})
    fresh = [
        what
        for key, what in after.counterexamples.get(statement.id, {}).items()
        if key not in known
    ]
    measured = after.measured.get(statement.id)
    was_measured = before.measured.get(statement.id)
    if fresh and _is_worse(measured, was_measured):
        return fresh
    if before.claimed.get(statement.id) is not after.claimed.get(statement.id):
        answer = after.claimed.get(statement.id, Answer.UNANSWERED)
        return [f"the team now answers {answer.label} to “{statement.title}”"]
    if measured is not was_measured:
        found = measured.label if measured is not None else "not measurable"
        return [f"“{statement.title}” is measured as {found}"]
    return [f"the evidence for “{statement.title}” no longer counts"]


def _is_worse(measured: Measured | None, before: Measured | None) -> bool:
    if measured is None or measured is Measured.INSUFFICIENT:
        return False
    if before is None or before is Measured.INSUFFICIENT:
        return True
    return RANKS[Answer(measured)] < RANKS[Answer(before)]


def _tell_value(statement: Statement, value: Answer) -> str:
    if value is Answer.NO_LONGER:
        return f"“{statement.title}” is no longer true"
    if value is Answer.SOMETIMES:
        return f"“{statement.title}” is true only sometimes now"
    return f"“{statement.title}” is {value.label} now"


def _tell(category: Category, was: int, now: int, causes: Sequence[str]) -> str:
    name = category.title.partition(" & ")[0]
    moved = f"{name} {'fell' if now < was else 'rose'} to {now}"
    if not causes:
        return f"{moved}."
    more = len(causes) - MOST_CAUSES
    told = "; ".join(causes[:MOST_CAUSES]) + (f"; and {more} more" if more > 0 else "")
    return f"{moved}: {told}."
