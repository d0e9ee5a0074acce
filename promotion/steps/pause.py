"""The step pause: waits a time."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from promotion.formats import format_span
from promotion.rules.durations import parse_duration
from promotion.rules.settings import Problem, check_duration, unknown_keys

from .base import Outcome, StepContext, StepResult

LOOK_AT_LEAST_EVERY = timedelta(seconds=30)


class PauseStep:
    """Waits for a time after the steps before it; no worker is held meanwhile."""

    kind = "pause"
    title = "Pause"
    default_timeout: timedelta | None = None
    is_verification = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`for` is the only setting, and needed."""
        yield from unknown_keys(self.kind, settings, ("for",))
        if settings.get("for") is None:
            yield "for", "for is missing: how long to wait, such as 30m."
        yield from check_duration(settings, "for")

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'For 30m'."""
        return f"For {inputs.get('for', '')}"

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: waiting changes nothing."""
        return True

    def start(self, context: StepContext) -> StepResult:
        """Waits until the time since the step began is over."""
        length = parse_duration(str(context.inputs["for"]))
        ends = context.begun_at + length
        if context.at >= ends:
            return StepResult(Outcome.SUCCEEDED, f"Waited {format_span(length)}.")
        left = ends - context.at
        return StepResult(
            Outcome.WAITING,
            f"Waits until {ends:%Y-%m-%d %H:%M:%S} UTC.",
            {"ends_at": ends.isoformat()},
            # Looked at now and then, so that a stop asked for meanwhile is seen.
            look_again_in=min(left, LOOK_AT_LEAST_EVERY),
            progress=(context.at - context.begun_at) / length,
        )

    def look(self, context: StepContext) -> StepResult:
        """The same: the clock decides."""
        return self.start(context)
