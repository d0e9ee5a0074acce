"""The next thing a promotion is ready for: expire, wait, start, go on to a step, end. Harmless to repeat."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, OperationalError, transaction

from promotion.exceptions import ThroughlineError
from promotion.gates.runs import running_release
from promotion.models import GateResult, Promotion, StepRun
from promotion.rules.deciding import Decision, Move, decide
from promotion.rules.states import State

from .audit import record
from .content import Plan, current_version, plan_of
from .evaluate import answers_of, ask_cheap_gates_again, evaluate_gates, store_results
from .exceptions import let_past
from .execute import is_ready
from .finish import finish_promotion
from .lane import list_those_ahead, say_turn, say_veto
from .note_waits import note_waits
from .past_gates import (
    glass_in_force,
    note_checked_digests,
    note_passing,
    pass_gates,
    say_passed,
)
from .tell_moves import tell_move, tell_waiting

logger = logging.getLogger(__name__)

# A promotion that cannot be judged is looked at again then, so that it never keeps a sweep busy.
PUT_OFF_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Advance:
    """What came of it: a step that is ready to be executed, and whether the promotion ended."""

    step_run: int | None = None
    has_ended: bool = False


def advance(number: int, *, at: datetime) -> Advance:
    """Looks at one promotion and does the one thing it is ready for."""
    promotion = Promotion.objects.for_display().filter(pk=number).first()
    if promotion is None or not promotion.is_open:
        return Advance()
    if promotion.state == State.RUNNING:
        return _go_on(promotion, at)
    try:
        return _judge(promotion, at)
    except ThroughlineError as error:
        return _put_off(promotion, error.sentence, at)
    except OperationalError:
        raise  # the database itself: soon again
    except Exception as error:
        logger.exception("P-%s could not be judged", number)
        reason = f"It could not be judged ({type(error).__name__}); the log tells how. It is looked at again."
        return _put_off(promotion, reason, at)


def _judge(promotion: Promotion, at: datetime) -> Advance:
    begun = time.monotonic()
    plan = follow_newest_pipeline(promotion, at)
    outcomes = evaluate_gates(promotion, plan, at=at)
    # To read every byte of an image takes a while, and a window may have closed meanwhile.
    asked = at + timedelta(seconds=time.monotonic() - begun)
    return _apply(promotion, plan, outcomes, asked)


@transaction.atomic
def _put_off(seen: Promotion, reason: str, at: datetime) -> Advance:
    """What cannot be judged never starts; it still expires."""
    promotion = Promotion.objects.locked(seen.pk)
    if promotion.state != State.WAITING:
        return Advance()
    if promotion.expires_at <= at:
        return _expire(promotion, "Nobody decided in time.", at)
    _wait(promotion, seen, reason, min(promotion.expires_at, at + PUT_OFF_FOR))
    return Advance()


def _wait(promotion: Promotion, seen: Promotion, reason: str, look_at: datetime) -> None:
    """Until then, unless somebody woke it while its gates were asked: then it stays due."""
    if promotion.next_look_at == seen.next_look_at:
        promotion.next_look_at = look_at
    Promotion.objects.filter(pk=promotion.pk).update(
        next_look_at=promotion.next_look_at, reason=reason[:1000]
    )


def _expire(promotion: Promotion, reason: str, at: datetime) -> Advance:
    promotion.move_to(State.EXPIRED, reason=reason, at=at)
    record("promotion.expire", promotion, actor=None, at=at, reason=reason)
    tell_move(promotion, at=at)
    return Advance(has_ended=True)


@transaction.atomic
def follow_newest_pipeline(promotion: Promotion, at: datetime) -> Plan:
    """A waiting promotion follows the newest version; its approvals may thereby become stale."""
    plan = plan_of(promotion, current_version(promotion.service))
    if plan.content_hash != promotion.content_hash:
        changed = Promotion.objects.filter(pk=promotion.pk, state=State.WAITING.value).update(
            content=plan.content,
            content_hash=plan.content_hash,
            pipeline_version=plan.version,
            stage=plan.stage.name,
        )
        if changed:
            record(
                "promotion.content_changed",
                promotion,
                actor=None,
                at=at,
                details={"from": promotion.content_hash, "to": plan.content_hash},
            )
        promotion.content, promotion.content_hash = plan.content, plan.content_hash
        promotion.pipeline_version, promotion.stage = plan.version, plan.stage.name
    _follow_what_runs(promotion, at)
    return plan


def _follow_what_runs(promotion: Promotion, at: datetime) -> None:
    """Whose change it brings is counted from what runs now, so that no author decides after a rollback."""
    runs = running_release(promotion.service, promotion.environment, at)
    if promotion.replaces_id != (runs.pk if runs else None):
        Promotion.objects.filter(pk=promotion.pk, state=State.WAITING.value).update(replaces=runs)
        promotion.replaces = runs


@transaction.atomic
def _apply(seen: Promotion, plan: Plan, outcomes: list[GateResult], at: datetime) -> Advance:
    """Stores what the gates said and moves by compare-and-set; of two workers only one moves it."""
    promotion = Promotion.objects.locked(seen.pk)
    if promotion.state != State.WAITING or promotion.content_hash != plan.content_hash:
        return Advance()
    if plan_of(promotion, current_version(promotion.service)).content_hash != plan.content_hash:
        # A new pipeline came while the gates were asked.
        Promotion.objects.filter(pk=promotion.pk).update(next_look_at=at)
        return Advance()
    note_checked_digests(promotion, outcomes, at=at)
    # Exceptions are granted and revoked under the same lock, so that none is used once it is revoked.
    results = _let_past(promotion, plan, outcomes, at)
    decision = _decide(promotion, plan, results, at)
    if decision.move is Move.START:
        # Somebody may have withdrawn, frozen or vetoed since; under the lock nobody can any more.
        anew = ask_cheap_gates_again(promotion, plan, outcomes, at=at)
        results = _let_past(promotion, plan, anew, at)
        decision = _decide(promotion, plan, results, at)
    newcomers = store_results(promotion, results)
    if decision.move is Move.EXPIRE:
        return _expire(promotion, decision.reason, at)
    if decision.move is Move.WAIT:
        if plan.stage.mode == "enforce":
            note_waits(promotion, results, at=at)
        _wait(promotion, seen, decision.reason, decision.look_at)
        tell_waiting(promotion, newcomers, at=at)
        return Advance()
    return _start(promotion, plan, results, decision, at)


def _let_past(
    promotion: Promotion, plan: Plan, outcomes: list[GateResult], at: datetime
) -> list[GateResult]:
    """With what exceptions and a broken glass open."""
    return pass_gates(promotion, plan.stage, let_past(promotion, outcomes, at=at), at=at)


def _decide(promotion: Promotion, plan: Plan, outcomes: list[GateResult], at: datetime) -> Decision:
    return decide(
        answers_of(outcomes),
        holds=plan.stage.mode == "enforce",
        expires_at=promotion.expires_at,
        not_before=promotion.not_before,
        turn=say_veto(promotion.release) or say_turn(list_those_ahead(promotion)),
        now=at,
    )


def _start(
    promotion: Promotion, plan: Plan, results: list[GateResult], decision: Decision, at: datetime
) -> Advance:
    reason, passed = decision.reason, []
    glass = glass_in_force(promotion)
    try:
        with transaction.atomic():
            if glass is not None:
                passed = note_passing(glass, results, at=at)
                reason = say_passed(glass, passed) if passed else reason
            promotion.move_to(State.RUNNING, reason=reason, at=at)
    except IntegrityError:
        # Another one of the lane began to run in between; the lock gate tells so at the next look.
        return Advance()
    _make_step_runs(promotion, plan)
    Promotion.objects.filter(pk=promotion.pk).update(next_look_at=at)
    record(
        "promotion.start",
        promotion,
        actor=None,
        at=at,
        reason=reason,
        details={
            "content_hash": promotion.content_hash,
            "pipeline_version": plan.version.number,
            **({"passed_by_break_glass": passed} if passed else {}),
        },
    )
    tell_move(promotion, at=at)
    first = StepRun.objects.filter(promotion=promotion).in_order().first()
    if first is None:
        finish_promotion(promotion, State.SUCCEEDED, reason="There was nothing to do.", at=at)
        return Advance(has_ended=True)
    return Advance(step_run=first.pk)


def _make_step_runs(promotion: Promotion, plan: Plan) -> None:
    runs = [
        StepRun(
            promotion=promotion,
            position=step.position,
            wave=step.wave,
            kind=step.kind,
            targets=list(step.targets),
            inputs=step.inputs,
            retries=step.retries,
            timeout_seconds=int(step.timeout.total_seconds()) if step.timeout else None,
            effect_key=f"throughline-p{promotion.pk}-w{step.wave}-s{step.position}",
        )
        for step in plan.steps
    ]
    StepRun.objects.bulk_create(runs)


def _go_on(promotion: Promotion, at: datetime) -> Advance:
    """The step whose turn it is, if nobody works on it and its time has come."""
    latest: dict[int, StepRun] = {}
    for run in StepRun.objects.filter(promotion=promotion).in_order():
        latest[run.position] = run
    for run in latest.values():
        if run.state == StepRun.State.SUCCEEDED:
            continue
        return Advance(step_run=run.pk if is_ready(run, promotion, at) else None)
    return Advance()
