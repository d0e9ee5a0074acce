"""From an answer, a measurement and evidence to what a statement counts for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from metrics.maturity.model import MaturityModel, Statement
from metrics.maturity.values import (
    RANKS,
    Answer,
    Measured,
    is_at_least,
    pick_best,
    pick_worst,
)
from promotion.exceptions import InputError


@dataclass(frozen=True, slots=True)
class Rating:
    """One statement's three values, and what it counts for once superseding is looked at."""

    statement: Statement
    claimed: Answer
    measured: Measured | None
    verified: Answer
    counted_claimed: Answer
    counted_verified: Answer
    has_evidence: bool
    is_answered: bool
    is_supported: bool

    @property
    def is_superseded(self) -> bool:
        """Tell whether the superseding statement's better value counts for the verified level."""
        return self.counted_verified is not self.verified

    @property
    def is_undersold(self) -> bool:
        """Tell whether the check found more than the team says."""
        return self._compare() > 0

    @property
    def is_contradicted(self) -> bool:
        """Tell whether the check found less than the team says."""
        return self._compare() < 0

    def _compare(self) -> int:
        measured = find_measurement(self.measured)
        if measured is None or not self.claimed.is_on_scale:
            return 0
        return RANKS[measured] - RANKS[self.claimed]


@dataclass(frozen=True, slots=True)
class _Own:
    """A statement looked at by itself."""

    claimed: Answer
    counted: Answer
    verified: Answer
    is_answered: bool
    is_supported: bool


def rate_statements(
    model: MaturityModel,
    claimed: Mapping[str, Answer],
    measured: Mapping[str, Measured],
    evidence: Collection[str],
) -> tuple[Rating, ...]:
    """Return a rating for each statement of the model, in its order.

    A statement not named in `claimed` is unanswered, one not named in `measured` not measurable;
    `evidence` holds the ids with evidence accepted by somebody else and not run out. InputError
    for an id the model does not have and for a value that is not on the statement's scale.
    """
    _check_input(model, claimed, measured, evidence)
    own: dict[str, _Own] = {}
    # What a symptom may be shown by is a practice, so practices are rated first.
    for statement in sorted(model.statements, key=lambda one: one.is_symptom):
        shown = statement.shown_by is not None and is_at_least(
            own[statement.shown_by].verified, Answer.LARGELY
        )
        own[statement.id] = _rate_own(
            statement,
            claimed.get(statement.id, Answer.UNANSWERED),
            find_measurement(measured.get(statement.id)),
            statement.id in evidence,
            shown,
        )
    return tuple(
        _rate(statement, own, measured.get(statement.id), statement.id in evidence)
        for statement in model.statements
    )


def find_measurement(measured: Measured | None) -> Answer | None:
    """Return the result of a check on the scale; insufficient data is no measurement."""
    if measured is None or measured is Measured.INSUFFICIENT:
        return None
    return Answer(measured)


def _rate_own(
    statement: Statement, answer: Answer, measured: Answer | None, proven: bool, shown: bool
) -> _Own:
    if answer is Answer.NOT_APPLICABLE and statement.na_allowed:
        return _Own(answer, answer, answer, is_answered=True, is_supported=False)
    if answer is Answer.NOT_APPLICABLE:
        answer = Answer.UNANSWERED
    worst, second = statement.scale[0], statement.scale[1]
    supported = measured is not None or proven or (shown and answer is Answer.NO_LONGER)
    if not answer.is_on_scale:
        return _Own(answer, worst, worst, answer is Answer.UNKNOWN, supported)
    if measured is not None:
        verified = pick_worst((answer, measured))
    else:
        verified = answer if supported else pick_worst((answer, second))
    return _Own(answer, answer, verified, is_answered=True, is_supported=supported)


def _rate(
    statement: Statement, own: Mapping[str, _Own], measured: Measured | None, proven: bool
) -> Rating:
    mine = own[statement.id]
    better = own[statement.superseded_by] if statement.superseded_by else mine
    return Rating(
        statement=statement,
        claimed=mine.claimed,
        measured=measured,
        verified=mine.verified,
        counted_claimed=_pick_applicable_best(mine.counted, better.counted),
        counted_verified=_pick_applicable_best(mine.verified, better.verified),
        has_evidence=proven,
        is_answered=mine.is_answered or better.is_answered,
        is_supported=mine.is_supported or better.is_supported,
    )


def _pick_applicable_best(*answers: Answer) -> Answer:
    applicable = [answer for answer in answers if answer is not Answer.NOT_APPLICABLE]
    return pick_best(applicable) if applicable else Answer.NOT_APPLICABLE


def _check_input(
    model: MaturityModel,
    claimed: Mapping[str, Answer],
    measured: Mapping[str, Measured],
    evidence: Collection[str],
) -> None:
    for statement_id in evidence:
        model.get_statement(statement_id)
    for statement_id, answer in claimed.items():
        if answer.is_on_scale:
            _check_scale(model.get_statement(statement_id), answer)
        else:
            model.get_statement(statement_id)
    for statement_id, result in measured.items():
        statement = model.get_statement(statement_id)
        if (measurement := find_measurement(result)) is not None:
            _check_scale(statement, measurement)


def _check_scale(statement: Statement, answer: Answer) -> None:
    if answer not in statement.scale:
        scale = ", ".join(one.label for one in statement.scale)
        raise InputError(
            f"{answer.label!r} is no value for {statement.id}. Nothing was derived; "
            f"use one of: {scale}.",
            key=statement.id,
        )
