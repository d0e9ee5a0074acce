"""One look at a verification made again: claim → try → record; a failed one takes availability back."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from promotion.exceptions import ThroughlineError
from promotion.gates.runs import running_release
from promotion.models import GateResult, Promotion, Reverification, Service, Verification
from promotion.rules.settings import sets_of
from promotion.rules.states import State
from promotion.steps.base import Outcome, StepResult, VerificationLook
from promotion.steps.known import VERIFICATIONS

from .audit import record
from .finish import wake_service
from .lease import Clock, lease_from

logger = logging.getLogger(__name__)
STATE = Reverification.State
LOOK_AGAIN_IN = timedelta(seconds=5)
MOST_FOR_ONE = timedelta(seconds=30)


def look_at_reverification(number: int, *, now: Clock) -> bool:
    """Does the next thing; True where there is more to do at once. Harmless to repeat."""
    run = _claim(number, now())
    if run is None:
        return False
    result = _try(run, now())
    return _record(run, result, now())


@transaction.atomic
def _claim(number: int, at: datetime) -> Reverification | None:
    """Takes it by compare-and-set on its fencing token; ends it where it is no longer what runs."""
    run = Reverification.objects.filter(pk=number, state=STATE.RUNNING).first()
    if run is None or run.next_look_at is None or run.next_look_at > at:
        return None
    was_taken_over = run.lease_until is not None
    # Nothing renews it meanwhile, and each address asked may take its whole time.
    lease = lease_from(at) + MOST_FOR_ONE * len(sets_of(run.steps[run.position]["inputs"]))
    claimed = Reverification.objects.filter(pk=number, token=run.token, state=STATE.RUNNING).update(
        token=F("token") + 1,
        takeovers=run.takeovers + 1 if was_taken_over else 0,
        lease_until=lease,
        next_look_at=lease,
        begun_at=run.begun_at or at,
    )
    if not claimed:
        return None
    run = Reverification.objects.select_related("release", "service", "environment").get(pk=number)
    why = _say_pointless(run, at)
    if why:
        _end(run, STATE.CANCELLED, why, at)
        return None
    if run.takeovers > settings.STEP_MOST_TAKEOVERS:
        why = f"{run.takeovers} workers in a row ended during it; the log of the workers tells how."
        _end(run, STATE.ERRORED, why, at)
        return None
    return run


def _say_pointless(run: Reverification, at: datetime) -> str:
    """Why what it would find out says nothing any more; empty where it still does."""
    runs = running_release(run.service, run.environment, at)
    if runs is None or runs.pk != run.release_id:
        return f"{run.release.version} no longer runs in {run.environment.name}."
    lane = Promotion.objects.of(run.service, run.environment)
    busy = lane.filter(state=State.RUNNING.value).first()
    return f"{busy.number} is under way there and verifies by itself." if busy else ""


def _try(run: Reverification, at: datetime) -> StepResult:
    """One try, with no transaction open."""
    step = run.steps[run.position]
    verifying = VERIFICATIONS.get(step["kind"])
    begun = run.begun_at or at
    if verifying is None:
        return StepResult(Outcome.ERRORED, f"There is no step {step['kind']} any more.")
    look = VerificationLook(step["inputs"], at, begun, run.step_state)
    try:
        result = verifying.look(look) if run.step_state else verifying.start(look)
    except ThroughlineError as error:
        return StepResult(Outcome.ERRORED, error.sentence)
    except Exception as error:
        logger.exception("Reverification %s broke", run.pk)
        return StepResult(
            Outcome.ERRORED,
            f"{verifying.title} broke ({type(error).__name__}); the log tells how.",
        )
    is_late = step.get("timeout") and at >= begun + timedelta(seconds=step["timeout"])
    if result.outcome is Outcome.WAITING and is_late:
        return StepResult(
            Outcome.FAILED, f"{verifying.title} did not end in time. Last seen: {result.message}"
        )
    return result


@transaction.atomic
def _record(run: Reverification, result: StepResult, at: datetime) -> bool:
    """A late writer, whose lease another worker took over, changes nothing."""
    Service.objects.select_for_update(no_key=True).get(pk=run.service_id)
    held = Reverification.objects.filter(pk=run.pk, token=run.token, state=STATE.RUNNING)
    if not held.exists():
        return False
    if result.outcome is Outcome.WAITING:
        held.update(
            step_state=dict(result.output),
            message=result.message[:1000],
            lease_until=None,
            next_look_at=at + (result.look_again_in or LOOK_AGAIN_IN),
        )
        return False
    if result.outcome is Outcome.SUCCEEDED and run.position + 1 < len(run.steps):
        held.update(
            position=run.position + 1,
            step_state={},
            begun_at=None,
            lease_until=None,
            next_look_at=at,
            message=result.message[:1000],
        )
        return True
    states = {Outcome.SUCCEEDED: STATE.PASSED, Outcome.FAILED: STATE.FAILED}
    _end(run, states.get(result.outcome, STATE.ERRORED), result.message, at)
    return False


def _end(run: Reverification, state: Reverification.State, message: str, at: datetime) -> None:
    """Ends it; what was found out counts at once for every stage after this one."""
    Reverification.objects.filter(pk=run.pk).update(
        state=state, message=message[:1000], ended_at=at, lease_until=None, next_look_at=None
    )
    record(
        f"reverification.{state.value}",
        run,
        actor=None,
        at=at,
        reason=message,
        details={"release": run.release.version},
    )
    if state not in {STATE.PASSED, STATE.FAILED}:
        return
    targets = {target for step in run.steps for target in step["targets"]}
    Verification.objects.create(
        release=run.release,
        environment=run.environment,
        reverification=run,
        targets=sorted(targets),
        has_passed=state == STATE.PASSED,
        message=message[:1000],
        at=at,
    )
    GateResult.objects.filter(
        promotion__service=run.service_id,
        promotion__state=State.WAITING.value,
        gate__in=("order", "soak"),
        fresh_until__gt=at,
    ).update(fresh_until=at)
    wake_service(run.service_id, at)
