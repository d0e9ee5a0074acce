"""Reads one stage of a pipeline."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from .fields import Fields, Problems
from .forms import (
    DEFAULT_STAGE_EXPIRES,
    ApprovalForm,
    Availability,
    GateForm,
    Mode,
    OnFailure,
    Queue,
    StageForm,
    StepForm,
    Strategy,
    WaveForm,
)
from .parts import read_approval, read_ask, read_gate, read_step, read_wave, read_windows
from .tree import Place

STAGE_KEYS = (
    "name", "environment", "after", "availability", "mode", "queue", "expires", "require_build",
    "auto", "distinct", "ask", "gates", "approvals", "windows", "rollout", "steps", "on_failure",
    "rollback", "break_glass", "reverify",
)  # fmt: skip
AVAILABILITIES: tuple[Availability, ...] = ("all", "any")
MODES: tuple[Mode, ...] = ("enforce", "observe")
QUEUES: tuple[Queue, ...] = ("supersede", "fifo")
ON_FAILURES: tuple[OnFailure, ...] = ("stop", "rollback")
STRATEGIES: tuple[Strategy, ...] = ("all-at-once", "waves", "canary", "blue-green")

LEAST_BETWEEN_VERIFICATIONS = timedelta(minutes=1)

Part = TypeVar("Part")


def read_stage(place: Place, problems: Problems) -> StageForm:
    """A stage; all but its name and environment has a default."""
    fields = Fields(place, problems, "a stage", STAGE_KEYS)
    strategy, waves = _read_rollout(fields)
    gates = _read_each(fields, "gates", read_gate)
    rollback_gates, rollback_approvals, freezes_apply = _read_rollback(fields, gates)
    freezes_apply_to_break_glass, review_within = _read_break_glass(fields)
    steps = _read_each(fields, "steps", read_step)
    return StageForm(
        name=fields.name("name"),
        environment=fields.name("environment"),
        after=fields.names("after"),
        availability=fields.choice("availability", AVAILABILITIES[0], AVAILABILITIES),
        mode=fields.choice("mode", MODES[0], MODES),
        queue=fields.choice("queue", QUEUES[0], QUEUES),
        expires=fields.duration("expires") or DEFAULT_STAGE_EXPIRES,
        require_build=fields.flag("require_build"),
        auto=fields.flag("auto"),
        distinct=fields.flag("distinct"),
        ask=_read_each(fields, "ask", read_ask, named=True),
        gates=gates,
        approvals=_read_each(fields, "approvals", read_approval, named=True),
        windows=read_windows(fields.entries.get("windows"), problems),
        strategy=strategy,
        waves=waves,
        steps=steps,
        on_failure=fields.choice("on_failure", ON_FAILURES[0], ON_FAILURES),
        rollback_gates=rollback_gates,
        rollback_approvals=rollback_approvals,
        freezes_apply_to_rollback=freezes_apply,
        freezes_apply_to_break_glass=freezes_apply_to_break_glass,
        review_within=review_within,
        reverify_every=_read_reverify(fields, steps),
        line=place.line,
    )


def _read_each(
    fields: Fields,
    name: str,
    reading: Callable[[Place, Problems], Part | None],
    *,
    named: bool = False,
) -> tuple[Part, ...]:
    """What each entry of a list reads as; where they are named, no name may come twice."""
    places = fields.items(name)
    parts = [(place, reading(place, fields.problems)) for place in places]
    seen: set[str] = set()
    for place, part in parts if named else ():
        word = getattr(part, "name", "")
        if word and word in seen:
            fields.problems.add(
                place, f'Two entries of {name} are named "{word}"; name them apart.', name="name"
            )
        seen.add(word)
    return tuple(part for _, part in parts if part is not None)


def _read_rollout(fields: Fields) -> tuple[Strategy, tuple[WaveForm, ...]]:
    """The strategy (waves where waves are given) and the waves."""
    if not fields.has("rollout"):
        return STRATEGIES[0], ()
    rollout = Fields(fields.entries["rollout"], fields.problems, "rollout", ("strategy", "waves"))
    waves = _read_each(rollout, "waves", read_wave)
    strategy = rollout.choice("strategy", "waves" if waves else STRATEGIES[0], STRATEGIES)
    if strategy == "waves" and not waves and not rollout.has("waves"):
        rollout.problem("waves", "The strategy waves needs waves.")
    if strategy == "all-at-once" and len(waves) > 1:
        rollout.problem(
            "strategy", f"All at once is not {len(waves)} waves; the strategy is waves."
        )
    seen: dict[str, int] = {}
    for at, (place, wave) in enumerate(zip(rollout.items("waves"), waves, strict=False)):
        for target in wave.targets:
            if seen.setdefault(target, at) != at:
                sentence = (
                    f'"{target}" is already in wave {seen[target] + 1}; a target is deployed once.'
                )
                fields.problems.add(place, sentence, name="targets")
    return strategy, waves


def _read_rollback(
    fields: Fields, gates: tuple[GateForm, ...]
) -> tuple[tuple[GateForm, ...], tuple[ApprovalForm, ...], bool]:
    """Gates (by default checksum where the stage has it), rules, whether freezes hold it."""
    default = tuple(
        GateForm("checksum", gate.settings) for gate in gates if gate.kind == "checksum"
    )[:1]
    if not fields.has("rollback"):
        return default, (), False
    known = ("gates", "approvals", "freezes_apply")
    rollback = Fields(fields.entries["rollback"], fields.problems, "rollback", known)
    written = _read_each(rollback, "gates", read_gate)
    approvals = _read_each(rollback, "approvals", read_approval, named=True)
    return written if rollback.has("gates") else default, approvals, rollback.flag("freezes_apply")


def _read_break_glass(fields: Fields) -> tuple[bool, timedelta | None]:
    """Whether freezes hold even break-glass, and how soon it must be reviewed."""
    if not fields.has("break_glass"):
        return False, None
    entry = fields.entries["break_glass"]
    known = ("freezes_apply", "review_within")
    broken = Fields(entry, fields.problems, "break_glass", known)
    return broken.flag("freezes_apply"), broken.duration("review_within")


def _read_reverify(fields: Fields, steps: tuple[StepForm, ...]) -> timedelta | None:
    """How often what runs is verified again."""
    if not fields.has("reverify"):
        return None
    reverify = Fields(fields.entries["reverify"], fields.problems, "reverify", ("every",))
    every = reverify.duration("every")
    if not reverify.has("every"):
        reverify.problem("every", "every is missing: how often what runs is verified again.")
    elif every is not None and every < LEAST_BETWEEN_VERIFICATIONS:
        reverify.problem("every", "every must be a minute or longer.")
    if not any(step.kind.startswith("verify-") for step in steps):
        fields.problem("reverify", "There is no step that verifies, so there is nothing to repeat.")
    return every
