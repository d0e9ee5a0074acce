"""A person lets a pause go on."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, NotAllowedError
from promotion.gates.approval import groups_of
from promotion.models import Promotion, StepRun, User
from promotion.rules.states import State
from promotion.steps.pause import waits_for_person, who_may_go_on

from .audit import record


def may_go_on(person: User, run: StepRun, promotion: Promotion) -> bool:
    """Is the person one of those whom the pause waits for?"""
    return bool(groups_of(person, promotion) & set(who_may_go_on(run.inputs)))


def pause_of(number: int) -> StepRun | None:
    """The step of a running promotion that waits for a person to let it go on."""
    found = StepRun.objects.filter(
        promotion=number,
        promotion__state=State.RUNNING.value,
        kind="pause",
        state=StepRun.State.WAITING,
        gone_on_by=None,
    )
    return next((run for run in found if waits_for_person(run.inputs)), None)


@transaction.atomic
def go_on(step_run: int, *, person: User, at: datetime) -> Promotion:
    """Ends the pause at its next look, which is due at once.

    NotAllowedError where the pause does not wait for this person, ConflictError where it does not
    wait (any more).
    """
    held = StepRun.objects.filter(pk=step_run)
    promotion = Promotion.objects.locked(held.values_list("promotion", flat=True).get())
    run = held.get()  # read under the lock: of two who answer one is late
    if not may_go_on(person, run, promotion):
        who = " or ".join(one.partition(":")[2] for one in who_may_go_on(run.inputs))
        raise NotAllowedError(
            f"{person.name} may not let {promotion.number} go on: that takes {who} of"
            f" {promotion.service.team.name}. Nothing was changed."
        )
    is_waiting = run.kind == "pause" and waits_for_person(run.inputs) and not run.gone_on_by_id
    if (
        not is_waiting
        or promotion.state != State.RUNNING
        or run.state not in {StepRun.State.WAITING, StepRun.State.RUNNING}
        or promotion.stop_requested_at
    ):
        raise ConflictError("This step does not wait for a person (any more). Nothing was changed.")
    # A look that is under way ends as waiting; the next one finds the answer.
    held.update(gone_on_by=person, look_again_at=at)
    Promotion.objects.filter(pk=promotion.pk).update(next_look_at=at)
    record(
        "step.go_on",
        run,
        actor=person,
        at=at,
        details={"promotion": promotion.number, "wave": run.wave, "targets": list(run.targets)},
    )
    return promotion
