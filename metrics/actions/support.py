"""What somebody else has to say yes to: evidence, and that a statement does not apply."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from metrics.maturity.values import Answer as Value
from metrics.models import Answer, Assessment
from metrics.standing import find_model
from promotion.actions.audit import record
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Role, User

from .assess import lock_assessment

EVIDENCE_HOLDS = timedelta(days=180)


def may_support(person: User, assessment: Assessment) -> bool:
    """Members and release managers of the team, and auditors."""
    team = assessment.team
    return person.may_ask(team) or person.has_role(team, Role.AUDITOR)


def _lock_answer(key: int, statement_id: str, person: User) -> Answer:
    assessment = lock_assessment(key)
    if not may_support(person, assessment):
        raise NotAllowedError(
            f"{person.name} may read this assessment; accepting takes a member or release manager"
            f" of {assessment.team.name}, or an auditor. Nothing was changed."
        )
    if assessment.is_frozen:
        raise ConflictError(f"{assessment} is agreed and stays as it is. Nothing was changed.")
    answer = Answer.objects.filter(assessment=assessment, statement_id=statement_id).first()
    if answer is None:
        raise InputError("This statement has no answer yet. Nothing was changed.")
    answer.assessment = assessment
    return answer


def _begin_day(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(settings.TIME_ZONE))


@transaction.atomic
def accept_evidence(key: int, statement_id: str, *, person: User, at: datetime) -> Answer:
    """Accepts the evidence of an answer until its review, at most 180 days; never by who gave it.

    Raises NotAllowedError, ConflictError once agreed, InputError where there is no evidence.
    """
    answer = _lock_answer(key, statement_id, person)
    if answer.inherited_from_id:
        raise InputError(
            "The team the answer comes from has its evidence accepted. Nothing was changed."
        )
    if not answer.has_evidence:
        raise InputError("This answer has no evidence to accept. Nothing was changed.")
    if person.pk in (answer.evidence_by_id, answer.answered_by_id):
        raise NotAllowedError(
            "Evidence is accepted by somebody other than who gave it or who answered."
            " Nothing was changed."
        )
    expires_at = at + EVIDENCE_HOLDS
    if answer.evidence_review_on is not None:
        expires_at = min(expires_at, _begin_day(answer.evidence_review_on))
    if expires_at <= at:
        raise InputError(
            "The day to review this evidence has come: review it and give its next day first."
            " Nothing was changed."
        )
    answer.evidence_accepted_by, answer.evidence_accepted_at = person, at
    answer.evidence_expires_at = expires_at
    answer.save()
    details = {"statement": statement_id, "evidence": answer.evidence_url}
    if answer.evidence_file is not None:
        details["sha256"] = answer.evidence_file.sha256
    record("assessment.accept-evidence", answer.assessment, actor=person, at=at, details=details)
    return answer


@transaction.atomic
def agree_not_applicable(key: int, statement_id: str, *, person: User, at: datetime) -> Answer:
    """Agrees that a statement does not apply, until the model's days are over; never by who said it.

    Raises NotAllowedError, ConflictError once agreed, InputError where the answer is another.
    """
    answer = _lock_answer(key, statement_id, person)
    if answer.value != Value.NOT_APPLICABLE:
        raise InputError("The answer is not “not applicable”. Nothing was changed.")
    if person.pk == answer.answered_by_id:
        raise NotAllowedError(
            "That a statement does not apply is agreed to by somebody other than who said so."
            " Nothing was changed."
        )
    days = find_model(answer.assessment).not_applicable_days
    answer.not_applicable_agreed_by, answer.not_applicable_agreed_at = person, at
    answer.not_applicable_until = at + timedelta(days=days)
    answer.save()
    details = {"statement": statement_id, "reason": answer.not_applicable_reason}
    record(
        "assessment.agree-not-applicable", answer.assessment, actor=person, at=at, details=details
    )
    return answer
