"""The lock gate: nothing runs in (service, environment), and no lock lies on the environment."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

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
        lock = (
            Lock.objects.filter(
                Q(service=None) | Q(service=promotion.service), environment=promotion.environment
            )
            .filter(released_at=None)
            .select_related("created_by")
            .first()
        )
        if lock:
            return GateOutcome(
                Verdict.WAITING,
                f"{lock.created_by.name} locked {promotion.environment.name}: {lock.reason}",
            )
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
