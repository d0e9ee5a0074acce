"""Beginning an assessment and answering its statements."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from metrics.answers import (
    EVIDENCE,
    NOT_APPLICABLE,
    find_last_agreed,
    find_sources,
    read_answers,
)
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.model import MaturityModel, Statement
from metrics.maturity.values import Answer as Value
from metrics.models import Answer, Assessment
from metrics.standing import find_model
from promotion.actions.audit import record
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Role, Team, User


@dataclass(frozen=True, slots=True)
class Given:
    """What a member says of one statement."""

    statement_id: str
    value: Value
    comment: str = ""
    reason: str = ""
    evidence_url: str | None = ""
    """None leaves the link as it is."""
    inherited_from: str = ""
    """The slug of the team whose answer is taken; the value is then unanswered."""


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
    """The assessment of this quarter; there already, it is given back as it is.

    A new one begins with the answers agreed last, by their ids, each marked as carried over.
    """
    check_member(person, team)
    model, cycle = load_shipped_model(), find_cycle(at)
    assessment, is_new = Assessment.objects.get_or_create(
        team=team,
        model_id=model.id,
        cycle=cycle,
        defaults={"model_version": model.version, "started_at": at, "started_by": person},
    )
    if is_new:
        carried = _carry_over(assessment, model)
        details = {"carried": carried}
        record("assessment.start", assessment, actor=person, at=at, details=details)
    return assessment


def _carry_over(assessment: Assessment, model: MaturityModel) -> int:
    last = find_last_agreed(assessment.team, model)
    if last is None:
        return 0
    kept = ("statement_id", "value", "comment", "answered_by", "answered_at", "inherited_from")
    rows = [
        Answer(
            assessment=assessment,
            is_carried=True,
            **{name: getattr(answer, name) for name in (*kept, *NOT_APPLICABLE, *EVIDENCE)},
        )
        for answer in read_answers(last)
        if _is_still_asked(model, answer)
    ]
    return len(Answer.objects.bulk_create(rows))


def _is_still_asked(model: MaturityModel, answer: Answer) -> bool:
    """The model has the statement, and the answer is one of its scale."""
    if not model.has_statement(answer.statement_id):
        return False
    statement, value = model.get_statement(answer.statement_id), Value(answer.value)
    if value is Value.NOT_APPLICABLE:
        return statement.na_allowed
    return value is Value.UNKNOWN or value in statement.scale


@transaction.atomic
def save_answer(key: int, given: Given, *, person: User, at: datetime) -> Answer:
    """Keeps the team's answer while the assessment is a draft.

    Another value or another link asks anew for what somebody else accepted. Raises
    ConflictError once it is submitted and while members answer alone, NotAllowedError for who is
    no member or, after a discussion, does not facilitate it, InputError for a value that is not on
    the statement's scale and for not applicable without a reason.
    """
    assessment = lock_assessment(key)
    check_member(person, assessment.team)
    check_draft(assessment)
    if assessment.is_answered_alone:
        raise ConflictError(
            "Each member answers alone now; the team's answers follow once the discussion is open."
            " Nothing was saved."
        )
    if not may_record(assessment, person):
        raise NotAllowedError(
            f"{assessment.facilitator} records what was agreed in the discussion, or a release"
            " manager of the team. Nothing was saved."
        )
    return put_answer(assessment, given, person=person, at=at)


def may_record(assessment: Assessment, person: User) -> bool:
    """Any member, or after a discussion its facilitator and release managers."""
    if not person.may_ask(assessment.team):
        return False
    if assessment.discussed_at is None or person.pk == assessment.facilitator_id:
        return True
    return person.has_role(assessment.team, Role.RELEASE_MANAGER)


def check_draft(assessment: Assessment) -> None:
    """ConflictError once it is submitted."""
    if not assessment.is_draft:
        raise ConflictError(
            f"{assessment} is {assessment.state}; its answers do not change any more."
            " Nothing was saved."
        )


def put_answer(assessment: Assessment, given: Given, *, person: User, at: datetime) -> Answer:
    """Writes the team's answer into an assessment the caller holds; InputError for a wrong value."""
    source = _find_source(assessment, given)
    check_value(find_model(assessment).get_statement(given.statement_id), given)
    answer = Answer.objects.filter(
        assessment=assessment, statement_id=given.statement_id
    ).first() or Answer(assessment=assessment, statement_id=given.statement_id)
    if answer.value != given.value or answer.not_applicable_reason != given.reason:
        answer.not_applicable_agreed_by = answer.not_applicable_agreed_at = None
        answer.not_applicable_until = None
    was_inherited = answer.inherited_from_id is not None
    if was_inherited and source is None:
        clear_evidence(answer)
    url = answer.evidence_url if given.evidence_url is None else given.evidence_url
    if answer.value != given.value or answer.evidence_url != url:
        drop_acceptance(answer)
    if answer.evidence_url != url:
        answer.evidence_by = person if url or answer.evidence_file_id else None
    answer.value, answer.comment, answer.evidence_url = given.value.value, given.comment, url
    answer.not_applicable_reason = given.reason
    answer.inherited_from, answer.is_carried = source, False
    answer.answered_by, answer.answered_at = person, at
    answer.save()
    details = {"statement": given.statement_id, "value": given.value.value}
    if source is not None:
        details["inherited_from"] = source.slug
    record("assessment.answer", assessment, actor=person, at=at, details=details)
    return answer


def drop_acceptance(answer: Answer) -> None:
    """Its evidence has to be accepted anew."""
    answer.evidence_accepted_by = answer.evidence_accepted_at = None
    answer.evidence_expires_at = None


def clear_evidence(answer: Answer) -> None:
    """Takes the evidence off an answer: that of another team does not stay when its answer goes."""
    drop_acceptance(answer)
    answer.evidence_url = answer.evidence_title = answer.evidence_owner = ""
    answer.evidence_file = answer.evidence_by = None
    answer.evidence_dated = answer.evidence_review_on = None


def _find_source(assessment: Assessment, given: Given) -> Team | None:
    """The team whose answer is taken; InputError where it has agreed none."""
    if not given.inherited_from:
        return None
    for team in find_sources(assessment.team, find_model(assessment)):
        if team.slug == given.inherited_from:
            return team
    raise InputError(
        "Choose a team that has agreed an assessment; its answer is taken. Nothing was saved.",
        key="inherited_from",
    )


def check_value(statement: Statement, given: Given) -> None:
    """InputError for a value the statement cannot have, and for not applicable without a reason."""
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
