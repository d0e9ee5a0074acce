"""The lock gate: nothing runs in (service, environment), and no lock lies on the environment."""

from collections.abc import Iterable, Mapping
from typing import Any

from promotion.models import Lock, Promotion
from promotion.rules.states import State

from .base import GateContext, GateOutcome, Verdict


class LockGate:
    """Never closed: what runs ends, and who locked it can release it."""

    kind = "lock"
    title = "Lock"
    is_costly = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """It has no settings."""
        return [(key, f"The lock gate has no setting {key}.") for key in settings]

    def evaluate(self, context: GateContext) -> GateOutcome:
        """Open or waiting."""
        promotion = context.promotion
        locks = list(
            Lock.objects.in_force(context.at)
            .touching(promotion.service, promotion.environment)
            .select_related("created_by", "environment", "service")
            .order_by("created_at", "pk")
        )
        if locks:
            return _locked(locks)
        running = (
            Promotion.objects.of(promotion.service, promotion.environment)
            .filter(state=State.RUNNING.value)
            .exclude(pk=promotion.pk)
            .first()
        )
        if running:
            url = f"/promotions/{running.pk}/"
            return GateOutcome(
                Verdict.WAITING, f"{running.number} runs there now.", ((running.number, url),)
            )
        return GateOutcome(Verdict.OPEN, "Nothing else runs there, and nobody locked it.")


def _locked(locks: list[Lock]) -> GateOutcome:
    """Waiting; `earliest` is when the last of them ends, unknown where one has no end."""
    ends = [lock.ends_at for lock in locks]
    known = [end for end in ends if end is not None]
    reasons = [f"{lock.created_by.name} locked {lock.scope}: {lock.reason}" for lock in locks]
    return GateOutcome(
        Verdict.WAITING,
        " ".join(reasons),
        (("Locks", "/environments/#locks-title"),),
        earliest=max(known) if len(known) == len(ends) else None,
    )
