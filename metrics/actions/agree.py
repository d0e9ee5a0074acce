"""From a draft to an agreed assessment: submit, send back, agree; each by its own step."""

from datetime import datetime

from django.db import transaction

from metrics.answers import read_answers
from metrics.models import Assessment
from metrics.standing import derive_standing, find_model, write_result
from metrics.targets import Targets
from promotion.actions.audit import record
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Role, User

from .assess import check_member, lock_assessment
from .recompute_checks import keep_level, keep_results


def refuse_agreeing(assessment: Assessment, person: User) -> str:
    """Why the person may not agree, in a sentence; empty where they may."""
    if not person.may_ask(assessment.team):
        return f"Agreeing takes a member or release manager of {assessment.team.name}."
    is_manager = person.has_role(assessment.team, Role.RELEASE_MANAGER)
    if person.pk == assessment.submitted_by_id and not is_manager:
        return "You submitted it; another member or a release manager of the team agrees."
    return ""


@transaction.atomic
def submit(key: int, *, person: User, at: datetime) -> Assessment:
    """Puts a draft up for review; InputError where nothing is answered yet."""
    assessment = lock_assessment(key)
    check_member(person, assessment.team)
    _check_state(assessment, Assessment.State.DRAFT)
    if assessment.is_answered_alone:
        raise ConflictError("The discussion is not open yet. Nothing was submitted.")
    if not assessment.answers.exists():
        raise InputError("No statement is answered yet. Nothing was submitted.")
    assessment.state = Assessment.State.IN_REVIEW
    assessment.submitted_by, assessment.submitted_at = person, at
    assessment.save()
    record("assessment.submit", assessment, actor=person, at=at)
    return assessment


@transaction.atomic
def send_back(key: int, *, person: User, at: datetime) -> Assessment:
    """Makes an assessment in review a draft again, so that its answers can change."""
    assessment = lock_assessment(key)
    check_member(person, assessment.team)
    _check_state(assessment, Assessment.State.IN_REVIEW)
    assessment.state = Assessment.State.DRAFT
    assessment.save()
    record("assessment.send-back", assessment, actor=person, at=at)
    return assessment


@transaction.atomic
def agree(key: int, *, person: User, at: datetime) -> Assessment:
    """Freezes the result as it is now, measured now; the one agreed before is superseded.

    Raises NotAllowedError for who submitted it and is no release manager of the team,
    ConflictError where it is not in review.
    """
    assessment = lock_assessment(key)
    refusal = refuse_agreeing(assessment, person)
    if refusal:
        raise NotAllowedError(f"{refusal} Nothing was changed.")
    _check_state(assessment, Assessment.State.IN_REVIEW)
    model = find_model(assessment)
    answers = read_answers(assessment)
    for answer in answers:
        if answer.inherited_from_id:
            answer.save()  # from here on it no longer follows the other team
    results = keep_results(assessment.team, model, Targets(at), at)
    result = derive_standing(model, answers, at, results)
    earlier = Assessment.objects.filter(
        team=assessment.team, model_id=assessment.model_id, state=Assessment.State.AGREED
    )
    for other in earlier:
        other.state = Assessment.State.SUPERSEDED
        other.save(update_fields=["state"])
        record("assessment.supersede", other, actor=person, at=at)
    assessment.state = Assessment.State.AGREED
    assessment.agreed_by, assessment.agreed_at = person, at
    assessment.result = write_result(result, answers, at, results)
    assessment.save()
    keep_level(assessment.team, model, results, at)
    details = {"claimed": result.claimed.overall, "verified": result.verified.overall}
    record("assessment.agree", assessment, actor=person, at=at, details=details)
    return assessment


def _check_state(assessment: Assessment, wanted: str) -> None:
    if assessment.state != wanted:
        raise ConflictError(
            f"{assessment} is {assessment.state}, not {wanted}: somebody was faster."
            " Nothing was changed."
        )
