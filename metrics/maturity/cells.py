"""When a level holds, and what stands in its way, over values already counted."""

from collections.abc import Mapping
from dataclasses import dataclass

from metrics.maturity.model import MaturityModel, Statement
from metrics.maturity.values import Answer, Rule, is_at_least


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a level asks of one applicable statement, and what it has."""

    statement: Statement
    needed: Answer
    value: Answer

    @property
    def is_met(self) -> bool:
        """Tell whether the value is good enough."""
        return is_at_least(self.value, self.needed)


def find_category_level(
    model: MaturityModel, category: str, counted: Mapping[str, Answer], rule: Rule
) -> int:
    """Return the level (1 to the model's top) a category's counted values reach, caps included."""
    level = 1
    while level < model.top_level and holds_cell(model, category, level + 1, counted, rule):
        level += 1
    caps = [
        cap
        for statement in model.get_statements(category)
        if (cap := find_cap(statement, counted[statement.id])) is not None
    ]
    return min([level, *caps])


def holds_cell(
    model: MaturityModel, category: str, level: int, counted: Mapping[str, Answer], rule: Rule
) -> bool:
    """Tell whether a category's practices hold one level (2 or higher), caps left out."""
    requirements = [
        one
        for one in find_requirements(model, category, level, counted, rule)
        if not one.statement.is_symptom
    ]
    at_level = [one for one in requirements if one.statement.level == level]
    return bool(at_level) and all(one.is_met for one in requirements)


def find_cap(statement: Statement, value: Answer) -> int | None:
    """Return the level a symptom lowers its category to, or None when it does not cap."""
    if statement.caps_at is None:
        return None
    if value is Answer.STILL_TRUE:
        return statement.caps_at
    return statement.caps_at + 1 if value is Answer.SOMETIMES else None


def find_requirements(
    model: MaturityModel, category: str, level: int, counted: Mapping[str, Answer], rule: Rule
) -> tuple[Requirement, ...]:
    """Return what a category needs for a level (2 or higher), not applicable left out.

    These are its practices from level 2 up to the level, and its symptoms that cap below it.
    """
    requirements = []
    for statement in model.get_statements(category):
        value = counted[statement.id]
        needed = _find_needed(statement, level, rule)
        if needed is not None and value is not Answer.NOT_APPLICABLE:
            requirements.append(Requirement(statement, needed, value))
    return tuple(requirements)


def find_empty_levels(
    model: MaturityModel, category: str, level: int, counted: Mapping[str, Answer]
) -> tuple[int, ...]:
    """Return the levels from 2 up to one in which not one practice is applicable."""
    held = {
        statement.level
        for statement in model.get_statements(category)
        if not statement.is_symptom and counted[statement.id] is not Answer.NOT_APPLICABLE
    }
    return tuple(number for number in range(2, level + 1) if number not in held)


def _find_needed(statement: Statement, level: int, rule: Rule) -> Answer | None:
    if statement.caps_at is not None:
        if statement.caps_at >= level:
            return None
        # "Sometimes" caps one level higher, which is enough for a level just above the cap.
        return Answer.SOMETIMES if statement.caps_at + 1 >= level else Answer.NO_LONGER
    if not 2 <= statement.level <= level:
        return None
    if statement.level == level or rule is Rule.CMMI:
        return Answer.LARGELY
    return Answer.FULLY
