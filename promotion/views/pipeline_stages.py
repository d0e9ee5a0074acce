"""A stage of a pipeline in words: when it starts, what must hold, who approves, what is done."""

from dataclasses import dataclass

from promotion.formats import format_span
from promotion.rules.pipeline import ApprovalForm, GateForm, StageForm

from .gate_rows import gate_title
from .release_story import list_words
from .step_names import step_title


@dataclass(frozen=True, slots=True)
class StageTold:
    """One stage as its page tells it."""

    name: str
    environment: str
    starts: str
    gates: tuple[str, ...]
    approvals: tuple[str, ...]
    steps: tuple[str, ...]
    notes: tuple[str, ...]


def tell_stage(stage: StageForm) -> StageTold:
    """Plain words for what the YAML beside says."""
    return StageTold(
        name=stage.name,
        environment=stage.environment,
        starts=_starts(stage),
        gates=tuple(_gate(gate) for gate in stage.gates),
        approvals=tuple(_approval(rule) for rule in stage.approvals),
        steps=tuple(step_title(step.kind) for step in stage.steps),
        notes=tuple(_notes(stage)),
    )


def _starts(stage: StageForm) -> str:
    how = "by itself" if stage.auto else "when somebody asks"
    if not stage.after:
        return f"starts {how}, first on the way"
    joined = " or ".join(stage.after) if stage.availability == "any" else list_words([*stage.after])
    return f"starts {how}, after {joined}"


def _gate(gate: GateForm) -> str:
    words = [gate_title(gate.kind)]
    if gate.kind == "soak" and "for" in gate.settings:
        words.append(str(gate.settings["for"]))
    if gate.advisory:
        words.append("advisory")
    return ", ".join(words)


def _approval(rule: ApprovalForm) -> str:
    people = " or ".join(entry.replace(":", " ", 1) for entry in rule.from_)
    without = f"; not {list_words([*rule.exclude])}" if rule.exclude else ""
    when = f"; only when {rule.when}" if rule.when else ""
    return f"{rule.count} from {people}{without}{when}"


def _notes(stage: StageForm) -> list[str]:
    notes = []
    if stage.mode == "observe":
        notes.append("observes only: nothing is held back")
    if stage.windows.allow or stage.windows.deny:
        count = len(stage.windows.allow) + len(stage.windows.deny)
        notes.append(f"{count} window{'s' if count > 1 else ''} say when it may start")
    if stage.strategy != "all-at-once":
        notes.append(f"rolled out in {stage.strategy}")
    if stage.reverify_every is not None:
        notes.append(f"what runs is verified again every {format_span(stage.reverify_every)}")
    if stage.on_failure == "rollback":
        notes.append("rolls back by itself on failure")
    notes.append(f"a request expires after {format_span(stage.expires)}")
    return notes
