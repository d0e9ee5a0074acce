"""Saying that a check, or one of its counterexamples, is wrong or excused; and deciding it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from metrics.check_results import find_results
from metrics.maturity.loading import load_shipped_model
from metrics.models import CheckDispute
from promotion.actions.audit import record
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Role, Team, User

LONGEST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Objection:
    """What is disputed and why; without a counterexample's key the check itself."""

    statement_id: str
    reason: str
    counterexample: str = ""


def may_dispute(person: User, team: Team) -> bool:
    """Members and release managers of the team, and auditors; the same decide, each of others'."""
    return person.may_ask(team) or person.has_role(team, Role.AUDITOR)


def refuse_deciding(dispute: CheckDispute, person: User) -> str:
    """Why the person may not decide it, in a sentence; empty where they may."""
    if not may_dispute(person, dispute.team):
        return f"Deciding takes a member or release manager of {dispute.team.name}, or an auditor."
    if person.pk == dispute.opened_by_id:
        return "You opened it; somebody else decides."
    return ""


@transaction.atomic
def dispute_check(team: Team, objection: Objection, *, person: User, at: datetime) -> CheckDispute:
    """Opens a dispute; the check stands as it is until somebody else accepts it.

    NotAllowedError for who has no part in the team, InputError for a statement without a check, a
    counterexample that is not listed or no reason, ConflictError where one is open already.
    """
    if not may_dispute(person, team):
        raise NotAllowedError(
            f"Disputing a check takes a member or release manager of {team.name}, or an auditor."
            " Nothing was changed."
        )
    model = load_shipped_model()
    statement = model.get_statement(objection.statement_id)
    if statement.check is None:
        raise InputError(f"“{statement.text}” has no check to dispute. Nothing was changed.")
    reason = objection.reason.strip()
    if not reason or len(reason) > LONGEST_WORDS:
        raise InputError(
            f"Say why, in at most {LONGEST_WORDS} characters. Nothing was changed.", key="reason"
        )
    what = _find_what(team, objection, at)
    # The team's row is held, so that two people do not open the same at once.
    Team.objects.select_for_update().get(pk=team.pk)
    same = CheckDispute.objects.filter(
        team=team,
        model_id=model.id,
        statement_id=statement.id,
        counterexample=objection.counterexample,
        state=CheckDispute.State.OPEN,
    )
    if same.exists():
        raise ConflictError(
            "This is disputed already and waits for a decision. Nothing was changed."
        )
    dispute = CheckDispute.objects.create(
        team=team,
        model_id=model.id,
        statement_id=statement.id,
        counterexample=objection.counterexample,
        what=what[:500],
        reason=reason,
        opened_by=person,
        opened_at=at,
    )
    details = {"statement": statement.id, "counterexample": objection.counterexample}
    record("check.dispute", dispute, actor=person, at=at, reason=reason, details=details)
    return dispute


def _find_what(team: Team, objection: Objection, at: datetime) -> str:
    model = load_shipped_model()
    statement = model.get_statement(objection.statement_id)
    if not objection.counterexample:
        return statement.check.says if statement.check else ""
    for result in find_results(team, model, at):
        if result.statement_id != statement.id:
            continue
        for each in result.counterexamples:
            if each["key"] == objection.counterexample:
                return str(each["what"])
    raise InputError(
        "This counterexample is not listed any more. Nothing was changed.", key="counterexample"
    )


@transaction.atomic
def decide_dispute(
    key: int, *, is_accepted: bool, outcome: str, person: User, at: datetime
) -> CheckDispute:
    """Accepts or rejects it, with words; an accepted one excuses its counterexample from now on.

    NotAllowedError for who opened it or has no part in the team, ConflictError where it is decided,
    InputError without words.
    """
    dispute = (
        CheckDispute.objects.select_for_update(of=("self",)).select_related("team").get(pk=key)
    )
    refusal = refuse_deciding(dispute, person)
    if refusal:
        raise NotAllowedError(f"{refusal} Nothing was changed.")
    if dispute.state != CheckDispute.State.OPEN:
        raise ConflictError(f"It is {dispute.state} already. Nothing was changed.")
    words = outcome.strip()
    if not words or len(words) > LONGEST_WORDS:
        raise InputError(
            f"Say why, in at most {LONGEST_WORDS} characters. Nothing was changed.", key="outcome"
        )
    state = CheckDispute.State.ACCEPTED if is_accepted else CheckDispute.State.REJECTED
    dispute.state, dispute.outcome = state, words
    dispute.decided_by, dispute.decided_at = person, at
    dispute.save()
    details = {"statement": dispute.statement_id, "counterexample": dispute.counterexample}
    verb = "accept" if is_accepted else "reject"
    record(f"check.dispute-{verb}", dispute, actor=person, at=at, reason=words, details=details)
    return dispute
