"""A team's answers as they are now: inherited ones resolved, and which ask for another look."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from metrics.maturity.loading import load_shipped_model
from metrics.maturity.model import MaturityModel
from metrics.maturity.values import RANKS, Measured
from metrics.maturity.values import Answer as Value
from metrics.models import Answer, Assessment, CheckResult
from promotion.models import Team

PEOPLE = ("answered_by", "not_applicable_agreed_by", "evidence_by", "evidence_accepted_by")
# What of an answer carries it; an inherited one takes it over with the value.
EVIDENCE = (
    "evidence_url",
    "evidence_file",
    "evidence_title",
    "evidence_owner",
    "evidence_dated",
    "evidence_review_on",
    "evidence_by",
    "evidence_accepted_by",
    "evidence_accepted_at",
    "evidence_expires_at",
)
NOT_APPLICABLE = (
    "not_applicable_reason",
    "not_applicable_agreed_by",
    "not_applicable_agreed_at",
    "not_applicable_until",
)


class Look(StrEnum):
    """Why a statement asks for an answer, or for another look at the one it has."""

    UNANSWERED = "not answered yet"
    UNKNOWN = "nobody knew last time"
    CONTRADICTED = "measured lower than claimed"
    CHANGED = "measured differently than last time"
    INHERITED = "the other team's answer has changed"
    RAN_OUT = "evidence or agreement has run out"


def read_answers(assessment: Assessment) -> list[Answer]:
    """All answers of an assessment with the people behind them; inherited ones as they are now."""
    answers = list(
        assessment.answers.select_related(*PEOPLE, "inherited_from", "evidence_file").defer(
            "evidence_file__body"
        )
    )
    if not assessment.is_frozen:
        resolve_inherited(answers)
    return answers


def resolve_inherited(answers: Iterable[Answer]) -> None:
    """Gives each inherited answer, not saved, the value and evidence agreed in the other team now.

    Where that team has agreed nothing, or that the statement does not apply to it, the answer
    counts as unanswered. One query, and none where nothing is inherited.
    """
    inherited = [answer for answer in answers if answer.inherited_from_id]
    if not inherited:
        return
    rows = (
        Answer.objects.filter(
            assessment__team__in={answer.inherited_from_id for answer in inherited},
            assessment__model_id=load_shipped_model().id,
            assessment__state=Assessment.State.AGREED,
            statement_id__in={answer.statement_id for answer in inherited},
        )
        .select_related("assessment", *PEOPLE, "evidence_file")
        .defer("evidence_file__body")
    )
    agreed = {f"{row.assessment.team_id} {row.statement_id}": row for row in rows}
    for answer in inherited:
        source = agreed.get(f"{answer.inherited_from_id} {answer.statement_id}")
        if source is None or source.value == Value.NOT_APPLICABLE:
            answer.value = Value.UNANSWERED.value
            continue
        answer.value = source.value
        for name in EVIDENCE:
            setattr(answer, name, getattr(source, name))


def find_last_agreed(team: Team, model: MaturityModel) -> Assessment | None:
    """The assessment a team agreed last of a standard, of whichever version."""
    return Assessment.objects.filter(
        team=team, model_id=model.id, state=Assessment.State.AGREED
    ).first()


def find_sources(team: Team, model: MaturityModel) -> list[Team]:
    """The other teams whose answers can be taken over: those with an agreed assessment."""
    agreed = Assessment.objects.filter(model_id=model.id, state=Assessment.State.AGREED)
    return list(Team.objects.filter(pk__in=agreed.values("team")).exclude(pk=team.pk))


def find_looks(
    model: MaturityModel,
    answers: Iterable[Answer],
    checks: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    at: datetime,
) -> dict[str, Look]:
    """What asks for a look, by statement and in the order of the model.

    `checks` are written results as of now, `before` the result agreed last. An answer given in
    this assessment asks for none; one carried over does where something speaks against it.
    """
    by_statement = {answer.statement_id: answer for answer in answers}
    found = {}
    for statement in model.statements:
        answer = by_statement.get(statement.id)
        look = (
            Look.UNANSWERED
            if answer is None or answer.value == Value.UNANSWERED
            else _look_at(answer, checks.get(statement.id), before or {}, at)
        )
        if look is not None:
            found[statement.id] = look
    return found


def _look_at(
    answer: Answer, check: Mapping[str, Any] | None, before: Mapping[str, Any], at: datetime
) -> Look | None:
    if not answer.is_carried:
        return None
    if answer.value == Value.UNKNOWN:
        return Look.UNKNOWN
    if answer.value == Value.NOT_APPLICABLE:
        return None if answer.is_agreed_not_applicable(at) else Look.RAN_OUT
    then = before.get("statements", {}).get(answer.statement_id)
    if answer.inherited_from_id and then is not None and then["claimed"] != answer.value:
        return Look.INHERITED
    verdict = _read_verdict(check)
    if verdict is not None and RANKS[Value(verdict)] < RANKS[Value(answer.value)]:
        return Look.CONTRADICTED
    earlier = _read_verdict(before.get("checks", {}).get(answer.statement_id))
    if verdict is not None and earlier is not None and verdict != earlier:
        return Look.CHANGED
    if answer.evidence_accepted_at is not None and not answer.has_accepted_evidence(at):
        return Look.RAN_OUT
    return None


def _read_verdict(check: Mapping[str, Any] | None) -> Measured | None:
    """A written verdict on the scale; nothing where there is none."""
    if check is None or check["verdict"] == CheckResult.Verdict.NOT_MEASURABLE:
        return None
    verdict = Measured(check["verdict"])
    return None if verdict is Measured.INSUFFICIENT else verdict
