"""What a decision was made on: the verdict of readiness, with every gate that speaks for it."""

from collections.abc import Iterable
from typing import Any

from promotion.gates.known import GATES
from promotion.models import GateResult, Promotion
from promotion.rules.readiness import GateSaid, Readiness, judge_readiness


def judge_results(results: Iterable[GateResult]) -> Readiness:
    """The verdict over gate results."""
    return judge_readiness([_say(one) for one in results])


def take_snapshot(promotion: Promotion) -> dict[str, Any]:
    """The verdict and the gates it is of, as they were last evaluated about exactly this content.

    Empty where no gate had been evaluated yet: then nothing was decided on. One query.
    """
    results = list(
        promotion.gate_results.filter(content_hash=promotion.content_hash).order_by("position")
    )
    if not results:
        return {}
    verdict = judge_results(results)
    return {
        "verdict": verdict.verdict.value,
        "reason": verdict.reason,
        "gates": [
            {
                "gate": one.gate,
                "required": one.is_required,
                "verdict": one.verdict,
                "reason": one.reason,
                "passed": _is_passed(one),
                "measured_at": one.measured_at.isoformat(),
            }
            for one in results
        ],
    }


def _say(result: GateResult) -> GateSaid:
    title = GATES[result.gate].title if result.gate in GATES else result.gate
    return GateSaid(
        gate=result.gate,
        title=title,
        is_required=result.is_required,
        verdict=result.verdict,
        reason=result.reason,
        is_passed=_is_passed(result),
    )


def _is_passed(result: GateResult) -> bool:
    return result.exception_id is not None or result.break_glass_id is not None
