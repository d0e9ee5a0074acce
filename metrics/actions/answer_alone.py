"""Members answer alone first; then the discussion is open and the facilitator records what is agreed."""

from collections import defaultdict
from datetime import datetime

from django.db import transaction

from metrics.answers import read_answers
from metrics.maturity.spread import find_spread
from metrics.maturity.values import Answer as Value
from metrics.models import Assessment, HandIn, OwnAnswer
from metrics.standing import find_model
from promotion.actions.audit import record
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Role, User

from .assess import Given, check_draft, check_member, check_value, lock_assessment, put_answer


@transaction.atomic
def begin_alone(key: int, *, person: User, at: datetime) -> Assessment:
    """From now on each member answers alone; who asks for it facilitates. ConflictError if begun."""
    assessment = lock_assessment(key)
    check_member(person, assessment.team)
    check_draft(assessment)
    if assessment.alone_at is not None:
        raise ConflictError("Members were asked to answer alone already. Nothing was changed.")
    assessment.alone_at, assessment.facilitator = at, person
    assessment.save()
    record("assessment.begin-alone", assessment, actor=person, at=at)
    return assessment


@transaction.atomic
def answer_alone(key: int, given: Given, *, person: User, at: datetime) -> OwnAnswer:
    """Keeps what a member says alone, until they hand in or the discussion is open."""
    assessment = _lock_alone(key, person)
    if HandIn.objects.filter(assessment=assessment, person=person).exists():
        raise ConflictError("You handed in; your answers stay as they are. Nothing was saved.")
    if given.inherited_from:
        raise InputError("Alone you say what you see yourself. Nothing was saved.", key="value")
    check_value(find_model(assessment).get_statement(given.statement_id), given)
    comment = given.comment
    if given.value is Value.NOT_APPLICABLE:
        comment = f"{given.reason} {given.comment}".strip()
    own, _ = OwnAnswer.objects.update_or_create(
        assessment=assessment,
        statement_id=given.statement_id,
        person=person,
        defaults={"value": given.value.value, "comment": comment[:2000], "answered_at": at},
    )
    # The value stays out of the record while others must not see it.
    details = {"statement": given.statement_id}
    record("assessment.answer-alone", assessment, actor=person, at=at, details=details)
    return own


@transaction.atomic
def hand_in(key: int, *, person: User, at: datetime) -> Assessment:
    """A member's answers are final; they see those of who handed in, too."""
    assessment = _lock_alone(key, person)
    count = OwnAnswer.objects.filter(assessment=assessment, person=person).count()
    if not count:
        raise InputError("You have not answered a statement yet. Nothing was handed in.")
    _, is_new = HandIn.objects.get_or_create(
        assessment=assessment, person=person, defaults={"at": at}
    )
    if is_new:
        details = {"answers": count}
        record("assessment.hand-in", assessment, actor=person, at=at, details=details)
    return assessment


@transaction.atomic
def open_discussion(key: int, *, person: User, at: datetime) -> Assessment:
    """Everybody sees what each said; where all said the same, that is the agreed answer.

    By the facilitator or a release manager, once somebody has answered.
    """
    assessment = _lock_alone(key, person)
    if not may_open(assessment, person):
        raise NotAllowedError(
            f"{assessment.facilitator} facilitates; they open the discussion, or a release manager"
            " of the team. Nothing was changed."
        )
    said: dict[str, list[Value]] = defaultdict(list)
    for own in assessment.own_answers.all():
        said[own.statement_id].append(Value(own.value))
    if not said:
        raise InputError("Nobody has answered yet. Nothing was changed.")
    before = {answer.statement_id: answer for answer in read_answers(assessment)}
    agreed = 0
    for statement_id, values in said.items():
        if not find_spread(values).is_unanimous:
            continue
        kept = before.get(statement_id)
        comment = kept.comment if kept else ""
        given = Given(statement_id, values[0], comment, evidence_url=None)
        put_answer(assessment, given, person=person, at=at)
        agreed += 1
    assessment.discussed_at = at
    assessment.save()
    details = {"unanimous": agreed, "statements": len(said)}
    record("assessment.open-discussion", assessment, actor=person, at=at, details=details)
    return assessment


def may_open(assessment: Assessment, person: User) -> bool:
    """The facilitator, and release managers of the team."""
    return person.pk == assessment.facilitator_id or person.has_role(
        assessment.team, Role.RELEASE_MANAGER
    )


def _lock_alone(key: int, person: User) -> Assessment:
    assessment = lock_assessment(key)
    check_member(person, assessment.team)
    check_draft(assessment)
    if not assessment.is_answered_alone:
        raise ConflictError("Nobody answers alone now. Nothing was saved.")
    return assessment
