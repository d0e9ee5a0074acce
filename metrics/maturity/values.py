"""The answers a statement can have, and how they are ordered."""

from collections.abc import Iterable
from enum import StrEnum


class Kind(StrEnum):
    """What a statement is for the level: it caps it, earns it, or is left behind on the way."""

    SYMPTOM = "symptom"
    STEPPING_STONE = "stepping_stone"
    PRACTICE = "practice"


class Rule(StrEnum):
    """What a level asks of the practices below it: Fully (iso33020) or Largely (cmmi)."""

    ISO33020 = "iso33020"
    CMMI = "cmmi"


class Answer(StrEnum):
    """What a team can say of a statement."""

    NOT = "N"
    PARTLY = "P"
    LARGELY = "L"
    FULLY = "F"
    STILL_TRUE = "true"
    SOMETIMES = "sometimes"
    NO_LONGER = "no"
    UNANSWERED = "unanswered"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "na"

    @property
    def label(self) -> str:
        """Return the answer in words."""
        return _LABELS[self]

    @property
    def is_on_scale(self) -> bool:
        """Tell whether the answer can be compared with a measurement."""
        return self in RANKS


class Measured(StrEnum):
    """What a check can find; a statement without a check has None in its place."""

    NOT = "N"
    PARTLY = "P"
    LARGELY = "L"
    FULLY = "F"
    STILL_TRUE = "true"
    SOMETIMES = "sometimes"
    NO_LONGER = "no"
    INSUFFICIENT = "insufficient"

    @property
    def label(self) -> str:
        """Return the result in words."""
        if self is Measured.INSUFFICIENT:
            return "insufficient data"
        return Answer(self).label


PRACTICE_SCALE = (Answer.NOT, Answer.PARTLY, Answer.LARGELY, Answer.FULLY)
SYMPTOM_SCALE = (Answer.STILL_TRUE, Answer.SOMETIMES, Answer.NO_LONGER)
OPEN_ANSWERS = (Answer.UNANSWERED, Answer.UNKNOWN, Answer.NOT_APPLICABLE)
RANKS = {
    answer: rank for scale in (PRACTICE_SCALE, SYMPTOM_SCALE) for rank, answer in enumerate(scale)
}

_LABELS = {
    Answer.NOT: "Not",
    Answer.PARTLY: "Partly",
    Answer.LARGELY: "Largely",
    Answer.FULLY: "Fully",
    Answer.STILL_TRUE: "still true",
    Answer.SOMETIMES: "sometimes",
    Answer.NO_LONGER: "no longer",
    Answer.UNANSWERED: "unanswered",
    Answer.UNKNOWN: "don't know",
    Answer.NOT_APPLICABLE: "not applicable",
}


def scale_of(kind: Kind) -> tuple[Answer, ...]:
    """Return the scale a statement of this kind is answered on, worst first."""
    return SYMPTOM_SCALE if kind is Kind.SYMPTOM else PRACTICE_SCALE


def pick_worst(answers: Iterable[Answer]) -> Answer:
    """Return the lowest of answers on one scale; KeyError for an answer on none."""
    return min(answers, key=lambda answer: RANKS[answer])


def pick_best(answers: Iterable[Answer]) -> Answer:
    """Return the highest of answers on one scale; KeyError for an answer on none."""
    return max(answers, key=lambda answer: RANKS[answer])


def is_at_least(answer: Answer, floor: Answer) -> bool:
    """Tell whether an answer reaches another of its scale; not applicable reaches nothing."""
    return answer in RANKS and RANKS[answer] >= RANKS[floor]
