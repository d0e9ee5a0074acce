"""Beginning an assessment and answering its statements."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from metrics.maturity.loading import load_shipped_model
from metrics.maturity.model import Statement
from metrics.maturity.values import Answer as Value
from metrics.models import Answer, Assessment
from metrics.standing import find_model
from promotion.actions.audit import record
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Team, User


@dataclass(frozen=True, slots=True)
class Given:
    """What a member says of one statement."""

    statement_id: str
    value: Value
    comment: str = ""
    reason: str = ""
    evidence_url: str = ""


def find_cycle(at: datetime) -> str:
    """The quarter of a time in the reporting zone, e.g. 2026-q4."""
    day = at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    return f"{day.year}-q{(day.month + 2) // 3}"


def check_member(person: User, team: Team) -> None:
    """NotAllowedError for whoever is no member or release manager of the team."""
    if not person.may_ask(team):
        raise NotAllowedError(
            f"{person.name} may read the assessment of {team.name}; answering it takes a member or"
            " release manager of the team. Nothing was changed."
        )


def lock_assessment(key: int) -> Assessment:
    """The assessment, held until the transaction ends."""
    return Assessment.objects.select_for_update(of=("self",)).select_related("team").get(pk=key)


@transaction.atomic
def start_assessment(team: Team, *, person: User, at: datetime) -> Assessment:
    """The assessment of this quarter; there already, it is given back as it is."""
    check_member(person, team)
    model, cycle = load_shipped_model(), find_cycle(at)
    assessment, is_new = Assessment.objects.get_or_create(
        team=team,
        model_id=model.id,
        cycle=cycle,
        defaults={"model_version": model.version, "started_at": at, "started_by": person},
    )
    if is_new:
        record("assessment.start", assessment, actor=person, at=at)
    return assessment


@transaction.atomic
def save_answer(key: int, given: Given, *, person: User, at: datetime) -> Answer:
    """Keeps an answer while the assessment is a draft.

    Another value or another link asks anew for what somebody else accepted. Raises
    ConflictError once it is submitted, NotAllowedError for who is no member, InputError for a
    value that is not on the statement's scale and for not applicable without a reason.
    """
    assessment = lock_assessment(key)
    check_member(person, assessment.team)
    if not assessment.is_draft:
        raise ConflictError(
            f"{assessment} is {assessment.state}; its answers do not change any more."
            " Nothing was saved."
        )
    _check_value(find_model(assessment).get_statement(given.statement_id), given)
    answer = Answer.objects.filter(
        assessment=assessment, statement_id=given.statement_id
    ).first() or Answer(assessment=assessment, statement_id=given.statement_id)
    is_other = answer.value != given.value or answer.not_applicable_reason != given.reason
    if is_other:
        answer.not_applicable_agreed_by = answer.not_applicable_agreed_at = None
        answer.not_applicable_until = None
    if answer.value != given.value or answer.evidence_url != given.evidence_url:
        answer.evidence_accepted_by = answer.evidence_accepted_at = None
        answer.evidence_expires_at = None
    if answer.evidence_url != given.evidence_url:
        answer.evidence_by = person if given.evidence_url else None
    answer.value, answer.comment = given.value.value, given.comment
    answer.not_applicable_reason = given.reason
    answer.evidence_url = given.evidence_url
    answer.answered_by, answer.answered_at = person, at
    answer.save()
    details = {"statement": given.statement_id, "value": given.value.value}
    record("assessment.answer", assessment, actor=person, at=at, details=details)
    return answer


def _check_value(statement: Statement, given: Given) -> None:
    if given.value is Value.NOT_APPLICABLE:
        if not statement.na_allowed:
            raise InputError(
                f"“{statement.text}” always applies: it is about identity or trace. Nothing was saved.",
                key="value",
            )
        if not given.reason.strip():
            raise InputError(
                "Say why the statement does not apply, then choose it. Nothing was saved.",
                key="reason",
            )
    elif given.value.is_on_scale and given.value not in statement.scale:
        scale = ", ".join(each.label for each in statement.scale)
        raise InputError(
            f"“{statement.text}” is answered by one of {scale}. Nothing was saved.", key="value"
        )
