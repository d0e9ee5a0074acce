"""One promotion as a line of a list: what waits, how far it is, how many approvals it has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from promotion.gates.approval import approvals_given
from promotion.gates.asked import gates_asked_for
from promotion.models import Promotion, StepRun
from promotion.models.promotion import PromotionQuerySet
from promotion.rules.pipeline import StageForm
from promotion.rules.states import State
from promotion.steps.pause import waits_for_person

from .gate_rows import GateCount, GateRow, count_gates, earliest_of, gate_rows, holding
from .step_names import step_title

PREFETCHED = ("gate_results", "approvals__person", "step_runs")


@dataclass(frozen=True)
class PromotionLine:
    """Reads only what `lines_of` has fetched, so that a list costs the same few queries however long."""

    promotion: Promotion
    at: datetime
    blocks: int = 0
    """How many other open promotions wait for it, where that was asked for."""

    @property
    def title(self) -> str:
        """shipment-api 4.18.0 → production."""
        one = self.promotion
        return f"{one.service.slug} {one.release.version} → {one.environment.slug}"

    @cached_property
    def stage(self) -> StageForm:
        """The stage as the promotion's pipeline version has it."""
        return self.promotion.pipeline_version.form.stage(self.promotion.stage)

    @cached_property
    def gates(self) -> list[GateRow]:
        """What was last said, trouble first."""
        return gate_rows(self.promotion.gate_results.all())

    @property
    def gate_counts(self) -> list[GateCount]:
        """The same as a summary."""
        return count_gates(self.gates)

    @cached_property
    def approvals(self) -> tuple[int, int]:
        """(given, needed) over the rules that bind; (0, 0) where nobody's approval is asked for."""
        asked = gates_asked_for(self.stage, self.promotion.kind)
        if not any(gate.kind == "approval" for gate in asked):
            return 0, 0
        rules = [
            one for one in approvals_given(self.promotion, self.at).rules.values() if one.binds
        ]
        return sum(one.given for one in rules), sum(one.needed for one in rules)

    @property
    def approvals_text(self) -> str:
        """1 of 2 approvals; empty where none is asked for."""
        given, needed = self.approvals
        return f"{given} of {needed} approval{'' if needed == 1 else 's'}" if needed else ""

    @cached_property
    def holding(self) -> list[GateRow]:
        """The required gates that are not open, worst first."""
        held = {result.pk for result in holding(self.promotion.gate_results.all())}
        return [row for row in self.gates if row.result.pk in held]

    @property
    def starts_with_one_approval(self) -> bool:
        """True where nothing but one more approval is missing."""
        given, needed = self.approvals
        others = [row for row in self.holding if row.result.gate != "approval"]
        return bool(self.gates) and not others and needed - given <= 1

    @property
    def earliest(self) -> datetime | None:
        """When it could go by itself."""
        return earliest_of(self.promotion, list(self.promotion.gate_results.all()), self.at)

    @cached_property
    def steps(self) -> list[StepRun]:
        """The last attempt at each step, in order."""
        runs = sorted(self.promotion.step_runs.all(), key=lambda run: (run.position, run.attempt))
        return list({run.position: run for run in runs}.values())

    @property
    def current_step(self) -> StepRun | None:
        """The first that has not succeeded."""
        done = StepRun.State.SUCCEEDED
        return next((run for run in self.steps if run.state != done), None)

    @property
    def progress(self) -> float:
        """0 to 1: steps that are done, and as much of the current one as was measured."""
        return measured_progress(self.steps)

    @property
    def percent(self) -> int:
        """The same as a whole number."""
        return int(self.progress * 100)

    @property
    def step_sentence(self) -> str:
        """Step 3 of 5, Wait for deployment: 5 of 8 pods run it."""
        run = self.current_step
        if run is None:
            return "No step is left."
        text = f"Step {self.steps.index(run) + 1} of {len(self.steps)}, {step_title(run.kind)}"
        return f"{text}: {run.message}" if run.message else text

    @property
    def needs_person(self) -> bool:
        """A step's outcome is unknown, or a pause waits until somebody lets it go on."""
        run = self.current_step
        is_running = self.promotion.state == State.RUNNING
        return bool(is_running and run and (run.state == StepRun.State.UNKNOWN or self.is_paused))

    @property
    def is_paused(self) -> bool:
        """A pause waits until a person lets it go on."""
        run = self.current_step
        return bool(
            run
            and run.kind == "pause"
            and run.state in {StepRun.State.WAITING, StepRun.State.RUNNING}
            and waits_for_person(run.inputs)
            and run.gone_on_by_id is None
        )

    @property
    def stuck_because(self) -> str:
        """Why nothing will move without somebody changing something; empty where that is not so."""
        if self.needs_person and self.is_paused:
            return "A pause waits until somebody lets it go on."
        if self.needs_person:
            return "A step's outcome is unknown; somebody has to say what became of it."
        if self.promotion.state != State.WAITING:
            return ""
        closed = next((row for row in self.holding if row.status == "blocked"), None)
        return closed.result.reason if closed else ""


def measured_progress(steps: Iterable[StepRun]) -> float:
    """0 to 1 over the last attempts of all steps; a step that measures nothing counts only when done."""
    shares = [
        1.0 if run.state == StepRun.State.SUCCEEDED else min(max(run.progress or 0.0, 0.0), 1.0)
        for run in steps
    ]
    return sum(shares) / len(shares) if shares else 0.0


def lines_of(
    promotions: PromotionQuerySet, at: datetime, blocks: Mapping[int, int] | None = None
) -> list[PromotionLine]:
    """The promotions as lines, in their order; four queries however many."""
    counted = blocks or {}
    return [
        PromotionLine(one, at, counted.get(one.pk, 0))
        for one in promotions.for_display().prefetch_related(*PREFETCHED)
    ]
