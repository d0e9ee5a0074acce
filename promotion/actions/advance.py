"""The next thing a promotion is ready for: expire, wait, start, go on to a step, end. Harmless to repeat."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from promotion.models import GateResult, Promotion, StepRun
from promotion.rules.deciding import Decision, Move, decide
from promotion.rules.states import State

from .audit import record
from .content import Plan, current_version, plan_of
from .evaluate import answers_of, evaluate_gates, store_results
from .execute import is_ready
from .finish import finish_promotion
from .lane import list_those_ahead, say_turn


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
    plan = follow_newest_pipeline(promotion, at)
    outcomes = evaluate_gates(promotion, plan, at=at)
    return _apply(promotion.pk, plan, outcomes, at)


@transaction.atomic
def follow_newest_pipeline(promotion: Promotion, at: datetime) -> Plan:
    """A waiting promotion follows the newest version; its approvals may thereby become stale."""
    plan = plan_of(promotion, current_version(promotion.service))
    if plan.content_hash != promotion.content_hash:
        changed = Promotion.objects.filter(pk=promotion.pk, state=State.WAITING.value).update(
            content=plan.content, content_hash=plan.content_hash, pipeline_version=plan.version
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
        promotion.pipeline_version = plan.version
    return plan


@transaction.atomic
def _apply(number: int, plan: Plan, outcomes: list[GateResult], at: datetime) -> Advance:
    """Stores what the gates said and moves by compare-and-set; of two workers only one moves it."""
    promotion = Promotion.objects.locked(number)
    if promotion.state != State.WAITING or promotion.content_hash != plan.content_hash:
        return Advance()
    store_results(promotion, outcomes)
    decision = decide(
        answers_of(outcomes),
        holds=plan.stage.mode == "enforce",
        expires_at=promotion.expires_at,
        not_before=promotion.not_before,
        turn=say_turn(list_those_ahead(promotion)),
        now=at,
    )
    if decision.move is Move.EXPIRE:
        promotion.move_to(State.EXPIRED, reason=decision.reason, at=at)
        record("promotion.expire", promotion, actor=None, at=at, reason=decision.reason)
        return Advance(has_ended=True)
    if decision.move is Move.WAIT:
        Promotion.objects.filter(pk=number).update(
            next_look_at=decision.look_at, reason=decision.reason[:1000]
        )
        return Advance()
    return _start(promotion, plan, decision, at)


def _start(promotion: Promotion, plan: Plan, decision: Decision, at: datetime) -> Advance:
    try:
        with transaction.atomic():
            promotion.move_to(State.RUNNING, reason=decision.reason, at=at)
    except IntegrityError:
        # Another one of the lane began to run in between; the lock gate tells so at the next look.
        return Advance()
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
    Promotion.objects.filter(pk=promotion.pk).update(next_look_at=at)
    record(
        "promotion.start",
        promotion,
        actor=None,
        at=at,
        reason=decision.reason,
        details={"content_hash": promotion.content_hash, "pipeline_version": plan.version.number},
    )
    first = StepRun.objects.filter(promotion=promotion).in_order().first()
    if first is None:
        finish_promotion(promotion, State.SUCCEEDED, reason="There was nothing to do.", at=at)
        return Advance(has_ended=True)
    return Advance(step_run=first.pk)


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
