"""Which gates a promotion must meet: those its stage lists, and those that always hold."""

from promotion.models import Promotion
from promotion.rules.pipeline import ApprovalForm, GateForm, StageForm

from .base import AskedGate

# Freezes, locks and the order of stages hold everywhere, whether a stage lists them or not.
ALWAYS = ("order", "window", "lock")
# A rollback goes back to what was good: it asks only its own short list, and never over a running one.
ALWAYS_FOR_ROLLBACK = ("lock",)


def approval_rules(stage: StageForm, kind: str) -> tuple[ApprovalForm, ...]:
    """The approval rules that bind a promotion of that kind into the stage."""
    return stage.rollback_approvals if kind == Promotion.Kind.ROLLBACK else stage.approvals


def gates_asked_for(stage: StageForm, kind: str) -> tuple[AskedGate, ...]:
    """In the order they are shown; the approval gate last, where the stage has rules."""
    is_rollback = kind == Promotion.Kind.ROLLBACK
    listed: tuple[GateForm, ...] = stage.rollback_gates if is_rollback else stage.gates
    always = ALWAYS_FOR_ROLLBACK if is_rollback else ALWAYS
    if is_rollback and stage.freezes_apply_to_rollback:
        always = ("window", *always)
    names = {gate.kind for gate in listed}
    asked = [
        (gate.kind, gate.settings, not gate.advisory or gate.kind in always) for gate in listed
    ]
    asked += [(kind, {}, True) for kind in always if kind not in names]
    if approval_rules(stage, kind):
        asked.append(("approval", {}, True))
    return tuple(
        AskedGate(n, kind, settings, required) for n, (kind, settings, required) in enumerate(asked)
    )
