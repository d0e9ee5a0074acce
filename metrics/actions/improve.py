"""Actions of a team: opened with an owner and a day, then done, dropped, or open again."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from metrics.check_results import find_day
from metrics.maturity.loading import load_shipped_model
from metrics.models import Assessment, Improvement
from promotion.actions.audit import record
from promotion.exceptions import ConflictError, InputError
from promotion.models import Team, User

from .assess import check_member


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done about a statement, by whom and until when."""

    statement_id: str
    what: str
    owner: User
    due_on: date
    issue_url: str = ""


@transaction.atomic
def open_improvement(team: Team, plan: Plan, *, person: User, at: datetime) -> Improvement:
    """Opens an action; NotAllowedError for who is no member, InputError for a past day or no owner."""
    check_member(person, team)
    model = load_shipped_model()
    statement = model.get_statement(plan.statement_id)
    if plan.due_on < find_day(at):
        raise InputError("The day lies in the past. Nothing was changed.", key="due_on")
    if not plan.owner.may_ask(team):
        raise InputError(
            f"The owner is a member or release manager of {team.name}. Nothing was changed.",
            key="owner",
        )
    made = Improvement.objects.create(
        team=team,
        assessment=Assessment.objects.filter(team=team, model_id=model.id).first(),
        model_id=model.id,
        statement_id=statement.id,
        what=plan.what,
        owner=plan.owner,
        due_on=plan.due_on,
        issue_url=plan.issue_url,
        opened_by=person,
        opened_at=at,
    )
    details = {"statement": statement.id, "owner": plan.owner.get_username()}
    record("improvement.open", made, actor=person, at=at, details=details)
    return made


@transaction.atomic
def move_improvement(key: int, state: str, *, person: User, at: datetime) -> Improvement:
    """Says what became of an action; ConflictError where it is in that state already."""
    found = Improvement.objects.select_for_update(of=("self",)).select_related("team").get(pk=key)
    check_member(person, found.team)
    if state not in Improvement.State.values:
        raise InputError("An action is open, done or dropped. Nothing was changed.", key="state")
    if found.state == state:
        raise ConflictError(f"It is {state} already. Nothing was changed.")
    before, found.state = found.state, state
    found.changed_by, found.changed_at = person, at
    found.save()
    details = {"before": before, "after": state}
    record("improvement.move", found, actor=person, at=at, details=details)
    return found
