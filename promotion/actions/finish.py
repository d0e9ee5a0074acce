"""The end of a running promotion, and what follows from it."""

from datetime import datetime

from promotion.exceptions import ThroughlineError
from promotion.models import Promotion, Service, StepRun, User
from promotion.rules.states import FINAL, State

from .audit import record
from .holds import judge_hold
from .roll_back import roll_back

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
    if state is State.SUCCEEDED:
        judge_hold(promotion, at)
    elif state is State.FAILED and promotion.kind != Promotion.Kind.ROLLBACK:
        _roll_back_where_asked(promotion, at)
    wake_service(promotion.service_id, at)


def _roll_back_where_asked(promotion: Promotion, at: datetime) -> None:
    """The stage's `on_failure: rollback`; where there is nothing to go back to, the record says so."""
    if promotion.pipeline_version.form.stage(promotion.stage).on_failure != "rollback":
        return
    try:
        roll_back(promotion.pk, person=None, at=at)
    except ThroughlineError as error:
        record("promotion.not_rolled_back", promotion, actor=None, at=at, reason=error.sentence)


def wake_service(service: int, at: datetime) -> None:
    """Has every open promotion of the service, and its automatic promotion, looked at again."""
    StepRun.objects.filter(
        promotion__service=service,
        promotion__state=State.RUNNING.value,
        state=StepRun.State.WAITING,
        kind="wait-for-deployment",
    ).update(look_again_at=at)
    Promotion.objects.filter(service=service, state=State.WAITING.value).update(next_look_at=at)
    Promotion.objects.filter(
        service=service,
        state=State.RUNNING.value,
        step_runs__state=StepRun.State.WAITING,
        step_runs__kind="wait-for-deployment",
    ).update(next_look_at=at)
    Service.objects.filter(pk=service).update(next_look_at=at)
