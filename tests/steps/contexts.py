"""A step's context for tests: a running promotion, and what the step reported."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from promotion.models import Promotion, StepRun
from promotion.steps.base import StepContext
from tests.factories import NOW, make_step_run


@dataclass
class Reports:
    """What a step said on its way, in order."""

    said: list[tuple[float | None, str]] = field(default_factory=list)

    def __call__(self, progress: float | None, message: str) -> None:
        self.said.append((progress, message))


def make_context(
    promotion: Promotion,
    kind: str,
    inputs: Mapping[str, Any],
    *,
    at: datetime = NOW,
    begun_at: datetime = NOW,
    timeout: timedelta | None = timedelta(minutes=15),
    state: Mapping[str, Any] | None = None,
    run: StepRun | None = None,
    targets: tuple[str, ...] = (),
    report: Callable[[float | None, str], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> StepContext:
    """The context of one look at a step."""
    run = run or make_step_run(promotion, kind, dict(inputs), targets=list(targets))
    return StepContext(
        promotion=promotion,
        step_run=run,
        inputs=inputs,
        key=run.effect_key,
        at=at,
        begun_at=begun_at,
        deadline=begun_at + timeout if timeout else None,
        state=state or {},
        report=report or Reports(),
        should_stop=should_stop,
    )
