"""One look at one step: claim → effect → record, two transactions around the effect."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from promotion.exceptions import ConflictError, ThroughlineError
from promotion.models import Promotion, StepRun
from promotion.rules.states import State
from promotion.steps.base import Outcome, Step, StepContext, StepResult
from promotion.steps.known import STEPS

from .content import plan_of
from .finish import finish_promotion
from .lease import Clock, keep_lease, lease_from, renew_lease
from .outcome import record_outcome

logger = logging.getLogger(__name__)


class LostLeaseError(ConflictError):
    """Another worker has taken the step over; what this one found out changes nothing."""


def execute(step_run: int, *, now: Clock) -> bool:
    """Does the step's next thing; True where the promotion may be ready for more at once.

    `now` is the clock, since an effect takes time. Nothing is done where somebody else holds the
    step, a person asked to stop, or the content is no longer the approved one.
    """
    run = claim(step_run, at=now())
    if run is None:
        return False
    step = STEPS.get(run.kind)
    if step is None:
        unknown = StepResult(
            Outcome.ERRORED, f"The step {run.kind} is not known here. Correct the pipeline."
        )
        return record_outcome(run, unknown, at=now())
    result = _do(step, run, now)
    if result is None:
        return False
    return record_outcome(run, result, at=now())


@transaction.atomic
def claim(step_run: int, *, at: datetime) -> StepRun | None:
    """Takes the step by compare-and-set on its fencing token; None where there is nothing to do."""
    held = StepRun.objects.filter(pk=step_run)
    number = held.values_list("promotion", flat=True).first()
    if number is None:
        return None
    promotion = Promotion.objects.locked(number)
    run = held.get()  # read under the lock: a stop must not end what another worker just claimed
    if not is_ready(run, promotion, at):
        return None
    if promotion.stop_requested_at:
        _stop(promotion, run, at)
        return None
    if not _is_still_the_content(promotion, at):
        return None
    was_taken_over = run.state == StepRun.State.RUNNING
    takeovers = run.takeovers + was_taken_over
    lease = lease_from(at)
    claimed = StepRun.objects.filter(pk=run.pk, token=run.token, state=run.state).update(
        token=F("token") + 1,
        takeovers=takeovers,
        state=StepRun.State.RUNNING,
        lease_until=lease,
        begun_at=run.begun_at or at,
        started_at=run.started_at or at,
    )
    if not claimed:
        return None
    Promotion.objects.filter(pk=promotion.pk).update(next_look_at=lease)
    run.token, run.begun_at, run.promotion = run.token + 1, run.begun_at or at, promotion
    if was_taken_over and not _repeat_is_safe(run):
        _ask_a_person(run, at)
        return None
    if takeovers > settings.STEP_MOST_TAKEOVERS:
        _give_up(run, takeovers, at)
        return None
    return run


def is_ready(run: StepRun, promotion: Promotion, at: datetime) -> bool:
    """Its time has come, or a person asked to stop and nobody has it in hand."""
    if promotion.state != State.RUNNING:
        return False
    return run.is_claimable(at) or (promotion.stop_requested_at is not None and run.is_unheld)


def _repeat_is_safe(run: StepRun) -> bool:
    """A step that only waits, or whose far side refuses a repeat, may simply be done again."""
    step = STEPS.get(run.kind)
    return step is not None and (
        bool(run.output.get("is_waiting")) or step.repeat_is_safe(run.inputs)
    )


def _ask_a_person(run: StepRun, at: datetime) -> None:
    result = StepResult(
        Outcome.UNKNOWN,
        "The worker ended while the step was under way, so whether it happened is not known."
        " Say whether it is done, or have it repeated, or give up.",
    )
    record_outcome(run, result, at=at)


def _give_up(run: StepRun, ended: int, at: datetime) -> None:
    """What ends every worker that does it would otherwise hold the lane and the workers for ever."""
    result = StepResult(
        Outcome.ERRORED,
        f"{ended} workers in a row ended while the step was under way, so it is not tried again."
        " What it did before may stand. The log of the workers tells how they ended; ask for the"
        " promotion again once that is mended.",
        {"is_retryable": False},
    )
    record_outcome(run, result, at=at)


def _stop(promotion: Promotion, run: StepRun, at: datetime) -> None:
    StepRun.objects.filter(pk=run.pk, token=run.token).update(
        state=StepRun.State.CANCELLED,
        finished_at=at,
        token=F("token") + 1,
        message="Stopped by a person. What it had begun before stays as it is."
        if run.begun_at
        else "Stopped by a person before it began.",
    )
    finish_promotion(
        promotion,
        State.CANCELLED,
        reason="It was stopped by a person.",
        at=at,
        actor=promotion.stop_requested_by,
    )


def _is_still_the_content(promotion: Promotion, at: datetime) -> bool:
    """What was approved is compared again right before every step."""
    try:
        plan = plan_of(promotion, promotion.pipeline_version)
    except ThroughlineError as error:
        reason = f"{error.sentence} Nothing more was done. Ask for it again."
        finish_promotion(promotion, State.ERRORED, at=at, reason=reason)
        return False
    if plan.content_hash == promotion.content_hash:
        return True
    finish_promotion(
        promotion,
        State.ERRORED,
        at=at,
        reason="What would be done is no longer what was approved; nothing more was done. Ask for it again.",
    )
    return False


def _do(step: Step, run: StepRun, now: Clock) -> StepResult | None:
    """The effect, with no transaction open; None where the lease was lost meanwhile."""
    context = _context(step, run, now)
    try:
        with keep_lease(run, now=now):
            result = step.look(context) if run.output.get("is_waiting") else step.start(context)
    except LostLeaseError:
        return None
    except ThroughlineError as error:
        return StepResult(Outcome.ERRORED, error.sentence, {"is_retryable": error.retryable})
    except Exception as error:
        logger.exception("Step %s of P-%s broke", run.kind, run.promotion_id)
        return StepResult(
            Outcome.ERRORED,
            f"{step.title} broke ({type(error).__name__}); the log tells how.",
            {"is_retryable": False},
        )
    if result.outcome is Outcome.WAITING and context.deadline and context.at >= context.deadline:
        return StepResult(
            Outcome.FAILED, f"{step.title} did not end in time. Last seen: {result.message}"
        )
    return result


def _context(step: Step, run: StepRun, now: Clock) -> StepContext:
    timeout = (
        timedelta(seconds=run.timeout_seconds) if run.timeout_seconds else step.default_timeout
    )
    begun = run.begun_at or now()
    state: Mapping[str, Any] = run.output.get("state", {})
    return StepContext(
        promotion=run.promotion,
        step_run=run,
        inputs=run.inputs,
        key=run.effect_key,
        at=now(),
        begun_at=begun,
        deadline=begun + timeout if timeout else None,
        state=state,
        report=_reporter(run, now),
        should_stop=lambda: Promotion.objects.filter(
            pk=run.promotion_id, stop_requested_at__isnull=False
        ).exists(),
    )


def _reporter(run: StepRun, now: Clock) -> Callable[[float | None, str], None]:
    """Shows progress and renews the lease, at most once a second."""
    last: list[datetime] = []

    def report(progress: float | None, message: str) -> None:
        at = now()
        if last and at - last[0] < timedelta(seconds=1):
            return
        last[:] = [at]
        if not renew_lease(run, at=at, progress=progress, message=message[:1000]):
            raise LostLeaseError(
                "Another worker has taken this step over; this one changes nothing more."
            )

    return report
