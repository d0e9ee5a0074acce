"""The targets of a promotion: wave, how far it is there, what was deployed and what a verification said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from promotion.models import Deployment, Promotion
from promotion.steps.known import STEPS

from .step_rows import StepRow, Steps

STRATEGIES = {
    "all-at-once": "all at once",
    "waves": "in waves",
    "canary": "canary first",
    "blue-green": "blue and green",
}
# What the steps of a wave say together: the first of these that one of them has.
WORST_FIRST = ("failed", "unknown", "running", "skipped")
WORDS = {
    "failed": "failed",
    "unknown": "needs a decision",
    "running": "under way",
    "skipped": "not done",
    "passed": "done",
    "pending": "not begun",
}


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target; `status` is of its wave's steps, `verified` is empty where nothing verifies there."""

    name: str
    wave: int
    status: str
    text: str
    deployment: Deployment | None = None
    verified: str = ""
    verified_text: str = ""
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Targets:
    """All of them in the order of the waves, and how they are rolled out, in words."""

    rows: Sequence[TargetRow] = ()
    strategy: str = ""
    waves: int = 0
    verifies: bool = False


def targets_of(promotion: Promotion, steps: Steps) -> Targets:
    """From the steps of each wave and the newest report of each target; one query."""
    stage = promotion.pipeline_version.form.stage(promotion.stage)
    waves: dict[int, list[StepRow]] = {}
    for row in steps.rows:
        waves.setdefault(row.wave, []).append(row)
    newest = _newest_deployments(promotion)
    found = [
        _row(target, number, rows, newest.get(target))
        for number, rows in waves.items()
        for target in dict.fromkeys(one for row in rows for one in row.targets)
    ]
    return Targets(
        rows=found,
        strategy=STRATEGIES.get(stage.strategy, stage.strategy),
        waves=len(waves),
        verifies=any(row.verified for row in found),
    )


def _newest_deployments(promotion: Promotion) -> dict[str, Deployment]:
    rows = promotion.deployments.exclude(target="").order_by("received_at", "pk")
    return {row.target: row for row in rows}


def _row(
    target: str, wave: int, rows: Iterable[StepRow], deployment: Deployment | None
) -> TargetRow:
    done = [row for row in rows if row.kind != "pause"]
    status = _status_of(done)
    checks = [row for row in done if _verifies(row)]
    last = next((row for row in reversed(checks) if row.status != "pending"), None)
    if last is None:
        return TargetRow(
            target,
            wave,
            status,
            WORDS[status],
            deployment,
            "pending" if checks else "",
            "not verified yet" if checks else "",
        )
    verified, text = _verification(last, target)
    at = last.run.finished_at if last.run else None
    return TargetRow(target, wave, status, WORDS[status], deployment, verified, text, at)


def _status_of(rows: Sequence[StepRow]) -> str:
    found = {row.status for row in rows}
    for status in WORST_FIRST:
        if status in found:
            return status
    if found == {"passed"}:
        return "passed"
    return "running" if "passed" in found else "pending"


def _verifies(row: StepRow) -> bool:
    return row.kind in STEPS and STEPS[row.kind].is_verification


def _verification(row: StepRow, target: str) -> tuple[str, str]:
    """Its status and words for this target; of a failed one that asks each, who of them was good."""
    told = _by_target(row).get(target)
    text = f"{told['good']} of {told['count']} good" if told else WORDS[row.status]
    return row.status, text


def _by_target(row: StepRow) -> Mapping[str, Any]:
    output = row.run.output if row.run else {}
    state = output.get("state", output) if output.get("is_waiting") else output
    told = state.get("by_target", {}) if isinstance(state, Mapping) else {}
    return told if isinstance(told, Mapping) else {}
