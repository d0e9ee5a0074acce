"""Where an assessment stands: its answers turned into levels, as plain JSON that can be frozen."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from metrics.check_results import read_measured, write_check
from metrics.maturity.levels import LevelResult, Levels, derive_levels
from metrics.maturity.lifting import Lift, find_lifts
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.model import MaturityModel
from metrics.maturity.values import Answer as Value
from metrics.models import Answer, Assessment, CheckResult
from promotion.exceptions import ConflictError


def find_model(assessment: Assessment) -> MaturityModel:
    """The model an assessment was begun with; ConflictError where it is not the one that is shipped."""
    model = load_shipped_model()
    if (assessment.model_id, assessment.model_version) != (model.id, model.version):
        raise ConflictError(
            f"{assessment} was begun with {assessment.model_id} {assessment.model_version}, and this"
            f" installation has {model.id} {model.version}. Nothing was changed; begin a new one."
        )
    return model


def counted_value(answer: Answer, at: datetime) -> Value:
    """What an answer counts as: not applicable only where somebody else agreed to it."""
    value = Value(answer.value)
    if value is Value.NOT_APPLICABLE and not answer.is_agreed_not_applicable(at):
        return Value.UNANSWERED
    return value


def derive_standing(
    model: MaturityModel,
    answers: Iterable[Answer],
    at: datetime,
    results: Iterable[CheckResult] = (),
) -> LevelResult:
    """The levels that answers give at a time, with what the checks found."""
    found = list(answers)
    claimed = {answer.statement_id: counted_value(answer, at) for answer in found}
    evidence = {each.statement_id for each in found if each.has_accepted_evidence(at)}
    return derive_levels(model, claimed, read_measured(results), evidence)


def write_result(
    result: LevelResult,
    answers: Iterable[Answer],
    at: datetime,
    results: Iterable[CheckResult] = (),
) -> dict[str, Any]:
    """The result as it is shown, and frozen with its check results when it is agreed."""
    return {
        "model": result.model.id,
        "version": result.model.version,
        "rule": str(result.rule),
        "at": at.isoformat(),
        "claimed": _write_levels(result.claimed),
        "verified": _write_levels(result.verified),
        "binding": list(result.binding),
        "confidence": {"have": result.confidence.have, "of": result.confidence.of},
        "provisional": result.provisional,
        "progress": {
            category: None
            if progress is None
            else {"level": progress.level, "met": progress.met, "needed": progress.needed}
            for category, progress in result.next.items()
        },
        "lifts": [_write_lift(lift) for lift in find_lifts(result)],
        "statements": {
            rating.statement.id: {
                "claimed": str(rating.claimed),
                "measured": str(rating.measured) if rating.measured else None,
                "verified": str(rating.verified),
                "counted": str(rating.counted_verified),
            }
            for rating in result.ratings
        },
        "undersold": list(result.undersold),
        "contradicted": list(result.contradicted),
        "answers": [_write_answer(answer) for answer in answers],
        "checks": {each.statement_id: write_check(each) for each in results},
    }


def _write_levels(levels: Levels) -> dict[str, Any]:
    return {
        "categories": dict(levels.categories),
        "overall": levels.overall,
        "why": {category: list(why) for category, why in levels.why.items()},
    }


def _write_lift(lift: Lift) -> dict[str, Any]:
    return {
        "category": lift.category,
        "to_level": lift.to_level,
        "improvements": [
            {"statement": each.statement_id, "to": str(each.to)} for each in lift.improvements
        ],
    }


def _write_answer(answer: Answer) -> dict[str, Any]:
    return {
        "statement": answer.statement_id,
        "value": answer.value,
        "comment": answer.comment,
        "reason": answer.not_applicable_reason,
        "evidence": answer.evidence_url,
        "answered_by": answer.answered_by.get_username(),
        "answered_at": answer.answered_at.isoformat(),
    }
