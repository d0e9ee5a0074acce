"""Asking every gate of a waiting promotion, and keeping what they said."""

import logging
from datetime import datetime, timedelta

from promotion.exceptions import ThroughlineError
from promotion.gates.asked import gates_asked_for
from promotion.gates.base import AskedGate, GateContext, GateOutcome, Verdict
from promotion.gates.known import GATES
from promotion.models import GateResult, Promotion, User
from promotion.rules.deciding import GateAnswer

from .content import Plan

logger = logging.getLogger(__name__)

RETRY_IN = timedelta(seconds=30)
RETRY_AFTER_BREAK = timedelta(minutes=5)
UNASKED = GateOutcome(Verdict.WAITING, "It is asked once the promotion has been asked for.")


def evaluate_gates(
    promotion: Promotion, plan: Plan, *, at: datetime, asks_costly_gates: bool = True
) -> list[GateResult]:
    """Unsaved results of all gates, never only the first that fails; no transaction is open meanwhile.

    A preview, which a page shows before anything is asked for, leaves the costly gates unasked.
    """
    stored = {result.position: result for result in promotion.gate_results.all()}
    results = []
    for asked in gates_asked_for(plan.stage, promotion.kind):
        before = stored.get(asked.position)
        if before is not None and _may_be_used_again(before, asked, promotion, at):
            results.append(before)
            continue
        context = GateContext(promotion, plan.form, plan.stage, asked.settings, at)
        is_asked = asks_costly_gates or not _is_costly(asked)
        outcome = _ask(asked, context) if is_asked else UNASKED
        results.append(_result(promotion, asked, outcome, at))
    return results


def ask_cheap_gates_again(
    promotion: Promotion, plan: Plan, results: list[GateResult], *, at: datetime
) -> list[GateResult]:
    """The same with every answer that our own record gives taken anew; may run under a lock."""
    before = {result.position: result for result in results}
    anew = []
    for asked in gates_asked_for(plan.stage, promotion.kind):
        if _is_costly(asked):
            anew.append(before[asked.position])
            continue
        context = GateContext(promotion, plan.form, plan.stage, asked.settings, at)
        anew.append(_result(promotion, asked, _ask(asked, context), at))
    return anew


def store_results(promotion: Promotion, results: list[GateResult]) -> list[User]:
    """Puts them in place of those before; gates that are no longer asked for go.

    Returns the people it now waits for and did not before.
    """
    GateResult.objects.filter(promotion=promotion).exclude(
        position__in=[r.position for r in results]
    ).delete()
    GateResult.objects.bulk_create(
        [result for result in results if result.pk is None],
        update_conflicts=True,
        unique_fields=["promotion", "position"],
        update_fields=[
            "gate",
            "is_required",
            "verdict",
            "reason",
            "evidence",
            "earliest",
            "exception",
            "break_glass",
            "look_again_at",
            "people",
            "lacking",
            "content_hash",
            "measured_at",
            "fresh_until",
        ],
    )
    names = {name for result in results for name in result.people}
    people = list(User.objects.filter(username__in=names)) if names else []
    before = set(promotion.waits_for.values_list("pk", flat=True))
    promotion.waits_for.remove(*before - {person.pk for person in people})
    newcomers = [person for person in people if person.pk not in before]
    promotion.waits_for.add(*newcomers)
    return newcomers


def answers_of(results: list[GateResult]) -> list[GateAnswer]:
    """The same as plain data, for the decision."""
    return [
        GateAnswer(
            gate=GATES[result.gate].title if result.gate in GATES else result.gate,
            is_required=result.is_required,
            verdict=result.verdict,
            reason=result.reason,
            earliest=result.earliest,
            fresh_until=result.fresh_until,
            look_again_at=result.look_again_at,
        )
        for result in results
    ]


def _is_costly(asked: AskedGate) -> bool:
    gate = GATES.get(asked.kind)
    return gate is not None and gate.is_costly


def _may_be_used_again(
    before: GateResult, asked: AskedGate, promotion: Promotion, at: datetime
) -> bool:
    """Only a costly gate's open answer, about exactly this content, while it is fresh."""
    return (
        _is_costly(asked)
        and before.gate == asked.kind
        and before.verdict == Verdict.OPEN
        and before.exception_id is None
        and before.break_glass_id is None
        and before.content_hash == promotion.content_hash
        and before.fresh_until > at
    )


def _ask(asked: AskedGate, context: GateContext) -> GateOutcome:
    """The gate's answer; a gate that breaks never counts as open."""
    gate = GATES.get(asked.kind)
    if gate is None:
        return GateOutcome(
            Verdict.CLOSED, f"The gate {asked.kind} is not known here. Correct the pipeline."
        )
    try:
        return gate.evaluate(context)
    except ThroughlineError as error:
        if error.retryable:
            return GateOutcome(Verdict.WAITING, error.sentence, look_again_in=RETRY_IN)
        return GateOutcome(Verdict.CLOSED, error.sentence)
    except Exception:
        logger.exception("Gate %s broke on %s", asked.kind, context.promotion.number)
        return GateOutcome(
            Verdict.WAITING,
            f"The gate {gate.title} broke; the log tells how. It is asked again.",
            look_again_in=RETRY_AFTER_BREAK,
        )


def _result(
    promotion: Promotion, asked: AskedGate, outcome: GateOutcome, at: datetime
) -> GateResult:
    return GateResult(
        promotion=promotion,
        position=asked.position,
        gate=asked.kind,
        is_required=asked.is_required,
        verdict=outcome.verdict,
        reason=outcome.reason[:1000],
        evidence=[{"label": label, "url": url} for label, url in outcome.evidence],
        earliest=at if outcome.verdict == Verdict.OPEN else outcome.earliest,
        look_again_at=at + outcome.look_again_in if outcome.look_again_in else None,
        people=list(outcome.people),
        lacking=list(outcome.lacking),
        content_hash=promotion.content_hash,
        measured_at=at,
        fresh_until=at + outcome.fresh_for,
    )
