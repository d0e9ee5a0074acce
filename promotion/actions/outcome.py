"""Recording what came of a step, and what that does to its promotion."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from promotion.models import Promotion, StepRun, Verification
from promotion.rules.retrying import back_off
from promotion.rules.states import State
from promotion.steps.base import Outcome, StepResult
from promotion.steps.known import STEPS

from .audit import record
from .finish import finish_promotion

LOOK_AGAIN_IN = timedelta(seconds=5)


@transaction.atomic
def record_outcome(run: StepRun, result: StepResult, *, at: datetime) -> bool:
    """Writes the outcome by compare-and-set on the token; True where the promotion may go on at once.

    A late writer, whose lease another worker took over, changes nothing.
    """
    promotion = Promotion.objects.locked(run.promotion_id)
    held = StepRun.objects.filter(pk=run.pk, token=run.token, state=StepRun.State.RUNNING)
    columns = _columns(result, at)
    if result.outcome is Outcome.WAITING and held.exclude(look_again_at=run.look_again_at).exists():
        columns["look_again_at"] = at  # it was woken during this look, which may not have seen why
    if not held.update(**columns):
        return False
    run.refresh_from_db()
    if result.outcome is not Outcome.WAITING:
        record(
            "step.outcome",
            run,
            actor=None,
            at=at,
            reason=result.message,
            details={
                "promotion": promotion.number,
                "kind": run.kind,
                "outcome": result.outcome,
                "attempt": run.attempt,
            },
        )
    if promotion.state != State.RUNNING:
        return False
    _record_verification(promotion, run, result, at)
    return _go_on(promotion, run, result, at)


def _columns(result: StepResult, at: datetime) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "state": result.outcome.value,
        "message": result.message[:1000],
        "lease_until": None,
    }
    if result.outcome is Outcome.WAITING:
        look_at = at + (result.look_again_in or LOOK_AGAIN_IN)
        columns |= {
            "takeovers": 0,
            "look_again_at": look_at,
            "progress": result.progress,
            "output": {"is_waiting": True, "state": dict(result.output)},
        }
    else:
        finished = None if result.outcome is Outcome.UNKNOWN else at
        columns |= {"finished_at": finished, "look_again_at": None, "output": dict(result.output)}
        if result.outcome is Outcome.SUCCEEDED:
            columns["progress"] = 1.0
    return columns


def _record_verification(
    promotion: Promotion, run: StepRun, result: StepResult, at: datetime
) -> None:
    step = STEPS.get(run.kind)
    if (
        step is None
        or not step.is_verification
        or result.outcome not in {Outcome.SUCCEEDED, Outcome.FAILED}
    ):
        return
    Verification.objects.create(
        release=promotion.release,
        environment=promotion.environment,
        promotion=promotion,
        targets=list(run.targets),
        has_passed=result.outcome is Outcome.SUCCEEDED,
        message=result.message[:1000],
        at=at,
    )


def _go_on(promotion: Promotion, run: StepRun, result: StepResult, at: datetime) -> bool:
    """Whether there may be more to do at once, after the consequences of this outcome."""
    look_at: datetime | None = at
    if result.outcome is Outcome.WAITING:
        look_at = run.look_again_at
    elif result.outcome is Outcome.UNKNOWN:
        look_at = None  # a person decides; nothing is worth looking at until then
    elif (
        result.outcome is Outcome.ERRORED
        and result.output.get("is_retryable")
        and run.attempt <= run.retries
    ):
        look_at = _try_again(run, at)
    elif result.outcome in {Outcome.FAILED, Outcome.ERRORED}:
        state = State.FAILED if result.outcome is Outcome.FAILED else State.ERRORED
        finish_promotion(promotion, state, reason=result.message, at=at)
        return True
    elif not _is_anything_left(run):
        finish_promotion(promotion, State.SUCCEEDED, reason="Every step succeeded.", at=at)
        return True
    if promotion.stop_requested_at:
        look_at = at  # whatever the step would have waited for
    Promotion.objects.filter(pk=promotion.pk).update(next_look_at=look_at)
    return look_at is not None and look_at <= at


def _try_again(run: StepRun, at: datetime) -> datetime:
    """The next attempt at the same effect, after a while."""
    look_at = at + back_off(run.attempt)
    run.make_next_attempt(look_again_at=look_at)
    return look_at


def _is_anything_left(run: StepRun) -> bool:
    return StepRun.objects.filter(promotion=run.promotion_id, position__gt=run.position).exists()
