"""A person says what became of a step whose outcome is unknown: done, repeat, or give up."""

from datetime import datetime
from enum import StrEnum

from django.db import transaction

from promotion.exceptions import ConflictError, NotAllowedError
from promotion.models import Promotion, Role, StepRun, User
from promotion.rules.states import State

from .audit import record
from .finish import finish_promotion


class Resolution(StrEnum):
    """The three answers."""

    DONE = "done"
    REPEAT = "repeat"
    GIVE_UP = "give up"


@transaction.atomic
def resolve_step(step_run: int, resolution: Resolution, *, person: User, at: datetime) -> Promotion:
    """Applies the answer and lets the promotion go on or end."""
    held = StepRun.objects.filter(pk=step_run)
    promotion = Promotion.objects.locked(held.values_list("promotion", flat=True).get())
    run = held.get()  # read under the lock: of two who answer one is late
    if not person.has_role(promotion.service.team, Role.RELEASE_MANAGER):
        raise NotAllowedError(
            f"{person.name} may not decide about steps of {promotion.number}: that takes a release manager of"
            f" {promotion.service.team.name}. Nothing was changed."
        )
    if promotion.state != State.RUNNING or run.state != StepRun.State.UNKNOWN:
        raise ConflictError(
            "This step does not wait for an answer (any more). Nothing was changed."
        )
    record(
        "step.resolve",
        run,
        actor=person,
        at=at,
        reason=resolution.value,
        details={"promotion": promotion.number},
    )
    if resolution is Resolution.GIVE_UP:
        reason = f"{person.name} gave up a step whose outcome is not known."
        held.update(state=StepRun.State.ERRORED, finished_at=at)
        finish_promotion(promotion, State.ERRORED, reason=reason, at=at, actor=person)
        return promotion
    if resolution is Resolution.DONE:
        message = f"{person.name} says it is done."
        held.update(state=StepRun.State.SUCCEEDED, finished_at=at, message=message)
        if not StepRun.objects.filter(promotion=promotion, position__gt=run.position).exists():
            finish_promotion(promotion, State.SUCCEEDED, reason="Every step succeeded.", at=at)
            return promotion
    else:
        held.update(state=StepRun.State.ERRORED, finished_at=at)
        run.make_next_attempt(was_repeated_by=person)
    Promotion.objects.filter(pk=promotion.pk).update(next_look_at=at)
    return promotion
