"""Which steps a promotion will take: a stage's steps over its waves, templates filled in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from promotion.exceptions import InputError
from promotion.rules.pipeline import StageForm, StepForm, WaveForm, write_duration
from promotion.rules.templates import fill_templates, templates_in

# What a copy by digest brings into a repository is there for every later wave.
ONLY_IN_FIRST_WAVE = frozenset({"oci-copy"})


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step to take; `position` counts over all waves, both it and `wave` from 0.

    `inputs` are the settings; where they name {target}, one set for each target under `per_target`.
    """

    position: int
    wave: int
    kind: str
    inputs: Mapping[str, Any]
    targets: tuple[str, ...]
    timeout: timedelta | None
    retries: int


def plan_steps(
    stage: StageForm, *, values: Mapping[str, str], targets: Sequence[str]
) -> tuple[PlannedStep, ...]:
    """The steps of a promotion into this stage, in order.

    `values` maps template names to texts, with digest:NAME for each artifact of the release; of
    these {digest} and {name} follow. `targets` are the environment's.
    InputError where a template has no value or the waves do not fit the targets.
    """
    waves = _waves_over(stage, tuple(targets))
    values = _with_own_artifact(values)
    planned: list[PlannedStep] = []
    for number, wave in enumerate(waves):
        for step in _steps_of(stage, wave, number, is_last=number == len(waves) - 1):
            planned.append(
                PlannedStep(
                    position=len(planned),
                    wave=number,
                    kind=step.kind,
                    inputs=_fill_inputs(step, stage, values, wave.targets),
                    targets=wave.targets,
                    timeout=step.timeout,
                    retries=step.retries,
                )
            )
    return tuple(planned)


def _waves_over(stage: StageForm, targets: tuple[str, ...]) -> tuple[WaveForm, ...]:
    """The stage's waves, by default one over all targets; each target must be in one."""
    if not stage.waves:
        return (WaveForm(targets),)
    named = {target for wave in stage.waves for target in wave.targets}
    left_out, unknown = set(targets) - named, named - set(targets)
    if left_out or unknown:
        what = [f"{', '.join(sorted(left_out))} is in no wave"] if left_out else []
        what += [f"{', '.join(sorted(unknown))} is no target"] if unknown else []
        raise InputError(
            f"The waves of stage {stage.name} do not fit the targets of {stage.environment}: "
            f"{'; '.join(what)}. No step was planned; correct the pipeline or the environment."
        )
    return stage.waves


def _with_own_artifact(values: Mapping[str, str]) -> Mapping[str, str]:
    """With {digest} and {name} of the only artifact, or of the one named as the service."""
    names = [name.removeprefix("digest:") for name in values if name.startswith("digest:")]
    own = values.get("service", "") if len(names) > 1 else "".join(names)
    if own not in names:
        return values
    return {"digest": values[f"digest:{own}"], "name": own, **values}


def _steps_of(
    stage: StageForm, wave: WaveForm, number: int, *, is_last: bool
) -> Iterator[StepForm]:
    for step in stage.steps:
        if number == 0 or step.kind not in ONLY_IN_FIRST_WAVE:
            yield step
    if is_last:
        return
    if wave.waits_for_person:
        yield StepForm("pause", {"person": True})
    elif wave.pause is not None:
        yield StepForm("pause", {"for": write_duration(wave.pause)})


def _fill_inputs(
    step: StepForm, stage: StageForm, values: Mapping[str, str], targets: tuple[str, ...]
) -> dict[str, Any]:
    if "target" not in templates_in(step.settings):
        filled: dict[str, Any] = fill_templates(step.settings, values)
        return filled
    if not targets:
        raise InputError(
            f"The step {step.kind} of stage {stage.name} is for each target, but "
            f"{stage.environment} has none. No step was planned; add targets to the environment."
        )
    each = [
        {**fill_templates(step.settings, {**values, "target": target}), "target": target}
        for target in targets
    ]
    return {"per_target": each}
