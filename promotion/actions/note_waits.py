"""Keeping since when, and until when, each gate held a waiting promotion."""

from collections.abc import Iterable
from datetime import datetime

from promotion.models import GateResult, GateWait, Promotion

Held = tuple[str, str]


def note_waits(promotion: Promotion, results: Iterable[GateResult], *, at: datetime) -> None:
    """Begins and ends stretches by what the gates of a promotion that goes on waiting said at `at`.

    Must run inside the transaction that stores the results. Nothing is written for a promotion
    that starts or ends with this: what still holds then ended with that.
    """
    found = list(results)
    holding = dict(_find_holding(found))
    past = {
        one.gate for one in found if one.exception_id is not None or one.break_glass_id is not None
    }
    kept: dict[Held, GateWait] = {
        (wait.gate, wait.rule): wait
        for wait in GateWait.objects.filter(promotion=promotion, until=None)
    }
    changed = []
    for held, wait in kept.items():
        said = holding.get(held)
        if said is None:
            wait.until, wait.was_passed = at, wait.gate in past
            changed.append(wait)
        elif said.reason != wait.reason or (_is_closed(said) and not wait.was_closed):
            wait.reason, wait.was_closed = said.reason, wait.was_closed or _is_closed(said)
            changed.append(wait)
    if changed:
        GateWait.objects.bulk_update(changed, ["until", "was_passed", "reason", "was_closed"])
    GateWait.objects.bulk_create(
        GateWait(
            promotion=promotion,
            gate=gate,
            rule=rule,
            since=at,
            was_closed=_is_closed(said),
            reason=said.reason,
        )
        for (gate, rule), said in holding.items()
        if (gate, rule) not in kept
    )


def _find_holding(results: Iterable[GateResult]) -> Iterable[tuple[Held, GateResult]]:
    """Each required gate that is not open, the approval gate once for each rule that lacks."""
    for one in results:
        if one.is_required and one.verdict != GateResult.Verdict.OPEN:
            for rule in one.lacking or [""]:
                yield (one.gate, rule[:100]), one


def _is_closed(result: GateResult) -> bool:
    return result.verdict == GateResult.Verdict.CLOSED
