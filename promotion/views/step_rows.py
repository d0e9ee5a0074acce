"""The steps of a promotion as a page shows them: planned, under way, or done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from promotion.actions.content import plan_of
from promotion.exceptions import ThroughlineError
from promotion.models import Promotion, StepRun
from promotion.rules.states import State
from promotion.steps.pause import waits_for_person

from .promotion_lines import measured_progress
from .step_names import describe_step, step_title

# What a step keeps for its next look is its own affair, not a result.
INTERNAL = frozenset({"is_waiting", "state", "is_retryable", "by_target"})
STATUS = {
    StepRun.State.PENDING: "pending",
    StepRun.State.RUNNING: "running",
    StepRun.State.WAITING: "running",
    StepRun.State.SUCCEEDED: "passed",
    StepRun.State.FAILED: "failed",
    StepRun.State.ERRORED: "failed",
    StepRun.State.UNKNOWN: "unknown",
    StepRun.State.CANCELLED: "skipped",
}


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step; `attempts` are those before the latest, `output` what it left, as (name, text)."""

    title: str
    what: str
    status: str = "pending"
    run: StepRun | None = None
    attempts: Sequence[StepRun] = ()
    output: Sequence[tuple[str, str]] = ()
    wave: int = 0
    targets: Sequence[str] = ()
    kind: str = ""

    @property
    def percent(self) -> int | None:
        """Measured progress while it is under way; None where nothing was measured."""
        if self.run is None or self.run.progress is None or self.status != "running":
            return None
        return int(min(max(self.run.progress, 0.0), 1.0) * 100)

    @property
    def span(self) -> timedelta | None:
        """How long the latest attempt took; of one under way how long so far."""
        if self.run is None or self.run.started_at is None:
            return None
        return (self.run.finished_at or timezone.now()) - self.run.started_at

    @property
    def waits_for_person(self) -> bool:
        """A pause under way that nobody has let go on yet."""
        run = self.run
        return (
            run is not None
            and run.kind == "pause"
            and self.status == "running"
            and run.gone_on_by_id is None
            and waits_for_person(run.inputs)
        )

    @property
    def waits_until(self) -> datetime | None:
        """When the next attempt begins."""
        is_retry = self.run is not None and self.run.attempt > 1 and self.status == "pending"
        return self.run.look_again_at if self.run and is_retry else None


@dataclass(frozen=True, slots=True)
class Steps:
    """All of them, how many waves they form, and how far they are; `problem` is why none can be planned."""

    rows: list[StepRow] = field(default_factory=list)
    progress: float = 0.0
    problem: str = ""

    @property
    def percent(self) -> int:
        """Progress as a whole number."""
        return int(self.progress * 100)

    @property
    def waves(self) -> int:
        """How many groups of targets."""
        return len({row.wave for row in self.rows})

    @property
    def done(self) -> int:
        """How many succeeded."""
        return sum(row.status == "passed" for row in self.rows)

    @property
    def unknown(self) -> StepRow | None:
        """The step whose outcome a person has to tell."""
        return next((row for row in self.rows if row.status == "unknown"), None)

    @property
    def paused(self) -> StepRow | None:
        """The pause that waits for a person to let it go on."""
        return next((row for row in self.rows if row.waits_for_person), None)


def steps_of(promotion: Promotion) -> Steps:
    """What was done or is being done; before the start, what would be done."""
    if promotion.state in {State.PENDING, State.WAITING}:
        return _planned(promotion)
    attempts: dict[int, list[StepRun]] = {}
    for run in StepRun.objects.filter(promotion=promotion).in_order():
        attempts.setdefault(run.position, []).append(run)
    rows = [_row(runs) for runs in attempts.values()]
    return Steps(rows, measured_progress(row.run for row in rows if row.run))


def _planned(promotion: Promotion) -> Steps:
    try:
        plan = plan_of(promotion, promotion.pipeline_version)
    except ThroughlineError as error:
        return Steps(problem=error.sentence)
    return Steps(
        [
            StepRow(
                step_title(step.kind),
                describe_step(step.kind, step.inputs),
                wave=step.wave,
                targets=step.targets,
                kind=step.kind,
            )
            for step in plan.steps
        ]
    )


def _row(runs: list[StepRun]) -> StepRow:
    run = runs[-1]
    return StepRow(
        title=step_title(run.kind),
        what=describe_step(run.kind, run.inputs),
        status=STATUS.get(StepRun.State(run.state), "unknown"),
        run=run,
        attempts=runs[:-1],
        output=tuple(_texts(run.output)),
        wave=run.wave,
        targets=run.targets,
        kind=run.kind,
    )


def _texts(output: Any) -> list[tuple[str, str]]:
    if not isinstance(output, dict):
        return []
    return [
        (str(name).replace("_", " "), value if isinstance(value, str) else _plain(value))
        for name, value in output.items()
        if name not in INTERNAL and value not in (None, "", [], {})
    ]


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(one)}" for name, one in value.items())
    return str(value)
