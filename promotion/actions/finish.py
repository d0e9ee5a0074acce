"""The end of a running promotion, and what follows from it."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import ThroughlineError
from promotion.models import Promotion, Service, StepRun, User
from promotion.rules.states import FINAL, State

from .audit import record
from .holds import judge_hold
from .roll_back import roll_back
from .tell_moves import tell_move

UNFINISHED = list(StepRun.UNFINISHED)


def finish_promotion(
    promotion: Promotion, state: State, *, reason: str, at: datetime, actor: User | None = None
) -> None:
    """Ends it and wakes what waited for it; call it inside a transaction that has locked the promotion."""
    if state not in FINAL:
        raise ValueError(f"{state} is no end.")
    promotion.move_to(state, reason=reason, at=at, actor=actor)
    StepRun.objects.filter(promotion=promotion, state__in=UNFINISHED).update(
        state=StepRun.State.CANCELLED, finished_at=at, lease_until=None
    )
    record(f"promotion.{state.value}", promotion, actor=actor, at=at, reason=reason)
    tell_move(promotion, at=at, actor=actor)
    if state is State.SUCCEEDED:
        judge_hold(promotion, at)
    if promotion.stop_requested_by and promotion.stop_then == Promotion.StopThen.ROLL_BACK:
        reason = f"{promotion.stop_requested_by.name} stopped {promotion.number} to go back."
        _roll_back(promotion, promotion.stop_requested_by, reason, at)
    elif state is State.FAILED and _goes_back_by_itself(promotion):
        _go_back_unless_left(promotion, at)
    wake_service(promotion.service_id, at)


def _goes_back_by_itself(promotion: Promotion) -> bool:
    """The stage's `on_failure: rollback`; a rollback that failed is not rolled back in turn."""
    stage = promotion.pipeline_version.form.stage(promotion.stage)
    return promotion.kind != Promotion.Kind.ROLLBACK and stage.on_failure == "rollback"


def _go_back_unless_left(promotion: Promotion, at: datetime) -> None:
    """Who stopped it was asked what follows; that answer goes before what the stage says."""
    if promotion.stop_requested_by is None:
        _roll_back(promotion, None, "", at)
        return
    person = promotion.stop_requested_by
    reason = f"{person.name} stopped {promotion.number} and chose to leave it as it is."
    record("promotion.not_rolled_back", promotion, actor=person, at=at, reason=reason)


def _roll_back(promotion: Promotion, person: User | None, reason: str, at: datetime) -> None:
    """Asks for the way back; where there is none, or the person may no longer, the record says so."""
    try:
        with transaction.atomic():
            roll_back(promotion.pk, person=person, at=at, reason=reason)
    except ThroughlineError as error:
        record("promotion.not_rolled_back", promotion, actor=person, at=at, reason=error.sentence)


def wake_service(service: int, at: datetime) -> None:
    """Has every open promotion of the service, and its automatic promotion, looked at again.

    The service's row first, as everybody locks: else this and a worker wait for each other in a circle.
    """
    Service.objects.filter(pk=service).update(next_look_at=at)
    StepRun.objects.filter(
        promotion__service=service,
        promotion__state=State.RUNNING.value,
        # One that a worker looks at just now may not see what woke it.
        state__in=(StepRun.State.WAITING, StepRun.State.RUNNING),
        kind="wait-for-deployment",
    ).update(look_again_at=at)
    Promotion.objects.filter(service=service, state=State.WAITING.value).update(next_look_at=at)
    Promotion.objects.filter(
        service=service,
        state=State.RUNNING.value,
        step_runs__state=StepRun.State.WAITING,
        step_runs__kind="wait-for-deployment",
    ).update(next_look_at=at)
