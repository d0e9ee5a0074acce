"""A pipeline's normal form: the same keys as the YAML, every default filled in, JSON-able."""

from datetime import datetime, timedelta
from typing import Any

from promotion.rules.windows import Window

from .fields import write_duration
from .forms import ApprovalForm, AskForm, GateForm, PipelineForm, StageForm, StepForm


def pipeline_document(form: PipelineForm) -> dict[str, Any]:
    """What is stored with a version and whose digest is compared; read_document reads it back."""
    return {
        "service": form.service,
        "version": f"tag ~ {form.version_pattern}",
        "artifacts": list(form.artifacts),
        "repositories": dict(form.repositories),
        "stages": [_stage(stage) for stage in form.stages],
    }


def _stage(stage: StageForm) -> dict[str, Any]:
    return {
        "name": stage.name,
        "environment": stage.environment,
        "after": list(stage.after),
        "availability": stage.availability,
        "mode": stage.mode,
        "queue": stage.queue,
        "expires": write_duration(stage.expires),
        "require_build": stage.require_build,
        "auto": stage.auto,
        "distinct": stage.distinct,
        "ask": [_ask(ask) for ask in stage.ask],
        "gates": [_gate(gate) for gate in stage.gates],
        "approvals": [_approval(approval) for approval in stage.approvals],
        "windows": {
            "allow": [_window(window) for window in stage.windows.allow],
            "deny": [_window(window) for window in stage.windows.deny],
        },
        "rollout": {
            "strategy": stage.strategy,
            "waves": [
                {
                    "targets": list(wave.targets),
                    "pause": "person" if wave.waits_for_person else _duration(wave.pause),
                }
                for wave in stage.waves
            ],
        },
        "steps": [_step(step) for step in stage.steps],
        "on_failure": stage.on_failure,
        "rollback": {
            "gates": [_gate(gate) for gate in stage.rollback_gates],
            "approvals": [_approval(approval) for approval in stage.rollback_approvals],
            "freezes_apply": stage.freezes_apply_to_rollback,
        },
        "break_glass": _break_glass(stage),
        **(
            {}
            if stage.reverify_every is None
            else {"reverify": {"every": write_duration(stage.reverify_every)}}
        ),
    }


def _break_glass(stage: StageForm) -> dict[str, Any]:
    within = stage.review_within
    return {
        "freezes_apply": stage.freezes_apply_to_break_glass,
        # Without it the installation's own default holds, which is none of the pipeline's.
        **({} if within is None else {"review_within": write_duration(within)}),
    }


def _duration(duration: timedelta | None) -> str | None:
    return None if duration is None else write_duration(duration)


def _gate(gate: GateForm) -> dict[str, Any]:
    return {gate.kind: {**gate.settings, "advisory": gate.advisory}}


def _step(step: StepForm) -> dict[str, Any]:
    limits = {"timeout": _duration(step.timeout), "retries": step.retries}
    return {step.kind: {**step.settings, **limits}}


def _approval(approval: ApprovalForm) -> dict[str, Any]:
    return {
        "name": approval.name,
        "count": approval.count,
        "from": list(approval.from_),
        "exclude": list(approval.exclude),
        "expires": write_duration(approval.expires),
        "fallback": approval.fallback,
        "when": approval.when,
    }


def _ask(ask: AskForm) -> dict[str, Any]:
    return {
        "name": ask.name,
        "required": ask.required,
        "pattern": ask.pattern,
        "choices": list(ask.choices),
        "kind": ask.kind,
    }


def _window(window: Window) -> dict[str, Any]:
    start: datetime = window.start
    return {
        "rrule": window.rrule,
        "start": start.isoformat(),
        "duration": _duration(window.duration),
        "zone": window.zone,
    }
