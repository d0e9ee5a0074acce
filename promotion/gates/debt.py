"""The debt gate: no review of a broken glass is overdue for the service."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from promotion.formats import format_span
from promotion.models import BreakGlass

from .base import GateContext, GateOutcome, Verdict

FRESH_FOR = timedelta(minutes=2)
SHOWN = 3


class DebtGate:
    """Who goes past the gates in an emergency owes a review; while one is overdue nothing more goes."""

    kind = "debt"
    title = "Reviews owed"
    is_costly = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """It has no settings: the due date is set when the glass is broken."""
        return [(key, f"The debt gate has no setting {key}.") for key in settings]

    def evaluate(self, context: GateContext) -> GateOutcome:
        """Open or closed; it becomes closed by itself when a review falls due."""
        service, at = context.promotion.service, context.at
        owed = list(
            BreakGlass.objects.unreviewed()
            .filter(promotion__service=service)
            .select_related("promotion", "broken_by")
            .order_by("review_due_at", "pk")
        )
        overdue = [one for one in owed if one.review_due_at < at]
        if overdue:
            first = overdue[0]
            more = f" {len(overdue) - 1} more are overdue." if len(overdue) > 1 else ""
            return GateOutcome(
                Verdict.CLOSED,
                f"The review of {first.promotion.number}, for which {first.broken_by.name} broke the"
                f" glass, is overdue by {format_span(at - first.review_due_at)}. Somebody else has"
                f" to do it.{more}",
                tuple(
                    (f"Review of {one.promotion.number}", f"/promotions/{one.promotion_id}/#review")
                    for one in overdue[:SHOWN]
                ),
            )
        if owed:
            due_in = owed[0].review_due_at - at
            return GateOutcome(
                Verdict.OPEN,
                f"No review is overdue; that of {owed[0].promotion.number} is due in"
                f" {format_span(due_in)}.",
                fresh_for=min(FRESH_FOR, due_in + timedelta(seconds=1)),
            )
        return GateOutcome(Verdict.OPEN, "No review is owed.")
