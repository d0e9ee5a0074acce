"""The window gate: now is in an allowed window and in no freeze."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from promotion.models import Freeze, GateException, Promotion
from promotion.rules.windows import Window, judge_windows

from .base import GateContext, GateOutcome, Verdict


class WindowGate:
    """Deny beats allow; with no allow window promotions may always start."""

    kind = "window"
    title = "Windows and freezes"
    is_costly = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """Windows stand in the stage; the gate has no settings."""
        return [
            (key, f"The window gate has no setting {key}; windows stand in the stage.")
            for key in settings
        ]

    def evaluate(self, context: GateContext) -> GateOutcome:
        """Waiting when it opens again by itself; closed when it does not within 400 days."""
        promotion, windows = context.promotion, context.stage.windows
        freezes = list(
            Freeze.objects.not_over(context.at)
            .touching(promotion.service, promotion.environment)
            .select_related("created_by", "service", "team", "environment")
        )
        if _is_excepted(promotion, context.at):
            freezes = []
        deny = [*windows.deny, *(freeze_window(freeze) for freeze in freezes)]
        state = judge_windows(windows.allow, deny, context.at)
        active = [freeze for freeze in freezes if freeze.starts_at <= context.at]
        if state.open:
            return GateOutcome(
                Verdict.OPEN,
                "It is inside a window." if windows.allow else "No window or freeze holds it.",
            )
        evidence = (("Freezes", "/environments/"),) if active else ()
        reason = _reason(active, bool(windows.allow))
        if state.next_change is None:
            return GateOutcome(
                Verdict.CLOSED, f"{reason} It does not open within 400 days.", evidence
            )
        return GateOutcome(Verdict.WAITING, reason, evidence, earliest=state.next_change)


def freeze_window(freeze: Freeze) -> Window:
    """A freeze as a deny window: once, for its duration, or for ever without an end."""
    start = freeze.starts_at.replace(tzinfo=None)
    duration = freeze.ends_at - freeze.starts_at if freeze.ends_at else None
    return Window(start=start, zone="UTC", duration=duration)


def _is_excepted(promotion: Promotion, at: datetime) -> bool:
    return GateException.objects.filter(
        release=promotion.release,
        environment=promotion.environment,
        gate="window",
        revoked_at=None,
        granted_at__lte=at,
        ends_at__gt=at,
    ).exists()


def _reason(active: list[Freeze], has_windows: bool) -> str:
    if active:
        first = active[0]
        return f"{first.created_by.name} froze {first.scope}: {first.reason}"
    return "It is outside the allowed windows." if has_windows else "A denied window is on."
