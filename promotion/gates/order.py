"""The order gate: may this release enter this environment?"""

from collections.abc import Iterable, Mapping
from typing import Any

from promotion.models import Pin, Promotion
from promotion.rules.availability import judge_availability
from promotion.rules.states import State

from .base import GateContext, GateOutcome, Verdict
from .runs import order_facts, plain


class OrderGate:
    """Open when the release is available by the stage's upstream, not vetoed, and no other is pinned there."""

    kind = "order"
    title = "Order of stages"
    is_costly = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """It has no settings."""
        return [(key, f"The order gate has no setting {key}.") for key in settings]

    def evaluate(self, context: GateContext) -> GateOutcome:
        """Waiting while the release is on its way upstream or soaks; closed when it is no longer good there."""
        release = context.promotion.release
        if release.is_vetoed:
            return GateOutcome(
                Verdict.CLOSED, f"{release.version} was vetoed: {release.veto_reason}"
            )
        pin = _other_pin(context)
        if pin is not None:
            return GateOutcome(
                Verdict.CLOSED,
                f"{pin.made_by.name} pinned {pin.release.version} there: {pin.reason}",
                (("Pin", f"/environments/{pin.environment.slug}/"),),
            )
        verdict = judge_availability(
            order_facts(release, context.form, context.stage, context.at), context.at
        )
        reason = plain(verdict.reasons)
        if verdict.available:
            return GateOutcome(Verdict.OPEN, reason)
        if verdict.earliest or self._is_under_way(context):
            return GateOutcome(Verdict.WAITING, reason, earliest=verdict.earliest)
        return GateOutcome(Verdict.CLOSED, reason)

    def _is_under_way(self, context: GateContext) -> bool:
        places = [source.environment for source in context.form.upstream_of(context.stage)]
        return Promotion.objects.filter(
            release=context.promotion.release,
            environment__slug__in=places,
            state__in=[State.PENDING.value, State.WAITING.value, State.RUNNING.value],
        ).exists()


def _other_pin(context: GateContext) -> Pin | None:
    """A pin that keeps another release in the lane."""
    promotion = context.promotion
    return (
        Pin.objects.in_force()
        .filter(service=promotion.service, environment=promotion.environment)
        .exclude(release=promotion.release)
        .select_related("release", "environment", "made_by")
        .first()
    )
