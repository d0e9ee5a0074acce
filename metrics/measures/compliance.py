"""Compliance: production executions whose promotion met every control of its stage before it started."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from metrics.measures.base import ApprovalFact
from metrics.measures.executions import Execution
from metrics.measures.history import History, Scope
from metrics.measures.periods import span_of
from metrics.measures.results import Question, Result, Row, state_shared, summarise_share

NAME = "compliance"
MET, REVIEWED, EXCEPTED, MISSED, UNREVIEWED, UNCONTROLLED, UNTRACKED = (
    "met",
    "glass broken and reviewed",
    "let past by an exception",
    "missed",
    "glass broken and not reviewed",
    "nothing was asked",
    "no promotion",
)
COMPLIANT = frozenset((MET, REVIEWED, EXCEPTED))
APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class GateFact:
    """What a gate last said; `excepted` where an exception that somebody else granted let it past."""

    gate: str
    is_required: bool
    is_open: bool
    measured_at: datetime
    excepted: bool = False


@dataclass(frozen=True, slots=True)
class Controls:
    """What a promotion's stage asked for, and what it got.

    `required` are the kinds of the gates that could not be left open, one entry for each;
    `approvals_needed` how many different people, whatever the promotion. `glass_broken` says
    that it started past its gates, `glass_reviewed` that somebody else reviewed that.
    """

    required: tuple[str, ...]
    gates: tuple[GateFact, ...] = ()
    approvals_needed: int = 0
    approvals: tuple[ApprovalFact, ...] = ()
    started_at: datetime | None = None
    glass_broken: bool = False
    glass_reviewed: bool = False


@dataclass(frozen=True, slots=True)
class ControlVerdict:
    """How a promotion stands to its controls, and which it lacks."""

    outcome: str
    missing: tuple[str, ...] = ()

    @property
    def is_compliant(self) -> bool:
        """Every control was met, or what was passed was accepted by somebody else."""
        return self.outcome in COMPLIANT

    @property
    def sentence(self) -> str:
        """Why, in a sentence."""
        if self.missing:
            return f"Not met before the start: {', '.join(self.missing)}."
        return f"{self.outcome.capitalize()}."


def judge_controls(controls: Controls) -> ControlVerdict:
    """Whether every required gate was open, and every approval given, before the promotion started.

    A result measured after the start is none. An exception counts only where somebody other than
    who asked for the promotion granted it.
    """
    if controls.glass_broken:
        return ControlVerdict(REVIEWED if controls.glass_reviewed else UNREVIEWED)
    if not controls.required and not controls.approvals_needed:
        return ControlVerdict(UNCONTROLLED)
    missing = [*_find_missing_gates(controls)]
    given = {
        each.by
        for each in controls.approvals
        if controls.started_at is None or each.at <= controls.started_at
    }
    if len(given) < controls.approvals_needed and APPROVAL not in missing:
        missing.append(APPROVAL)
    if missing:
        return ControlVerdict(MISSED, tuple(missing))
    is_excepted = any(gate.is_required and gate.excepted for gate in controls.gates)
    return ControlVerdict(EXCEPTED if is_excepted else MET)


def _find_missing_gates(controls: Controls) -> tuple[str, ...]:
    met: dict[str, int] = {}
    refused = set()
    for gate in controls.gates:
        if not gate.is_required:
            continue
        was_before = controls.started_at is None or gate.measured_at <= controls.started_at
        if gate.is_open and was_before:
            met[gate.gate] = met.get(gate.gate, 0) + 1
        else:
            refused.add(gate.gate)
    return tuple(
        kind
        for kind in dict.fromkeys((*controls.required, *sorted(refused)))
        if kind in refused or met.get(kind, 0) < controls.required.count(kind)
    )


def judge_execution(execution: Execution, controls: Mapping[str, Controls]) -> ControlVerdict:
    """The verdict on the promotion of an execution; without one nothing was controlled."""
    promotion = execution.promotion
    if promotion is None or promotion.id not in controls:
        return ControlVerdict(UNTRACKED)
    return judge_controls(controls[promotion.id])


def compute(history: History, controls: Mapping[str, Controls], question: Question) -> Result:
    """Compliant production executions ÷ all, a fraction; `controls` by promotion id.

    Whatever their result, counted by their finish. Wilson interval. Definition: measures v1, "Also".
    """
    span = span_of(question.period)
    scope = Scope(history.knowledge, question.filters)
    rows = tuple(
        _make_row(each, judge_execution(each, controls))
        for each in history.executions
        if history.is_production(each.environment)
        and span.holds(each.finished_at)
        and scope.holds(each.service, each.environment, each.kind)
    )
    summary = summarise_share(rows)
    return Result(
        **state_shared(NAME, history, question, rows, summary, history.beside(span, scope))
    )


def _make_row(execution: Execution, verdict: ControlVerdict) -> Row:
    return Row(
        unit=execution.id,
        service=execution.service,
        environment=execution.environment,
        digest=execution.digest,
        at=execution.finished_at,
        started_at=execution.started_at,
        finished_at=execution.finished_at,
        verdict=verdict.outcome,
        reason=verdict.sentence,
        good=verdict.is_compliant,
        ids=execution.ids,
        details=(
            ("missing", verdict.missing),
            ("kind", execution.kind),
            ("promotion", execution.promotion.id if execution.promotion else None),
        ),
    )
