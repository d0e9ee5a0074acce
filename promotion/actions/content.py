"""What exactly a promotion would do, and the hash that approvals are bound to."""

from dataclasses import dataclass
from typing import Any

from promotion.exceptions import InputError
from promotion.models import Environment, Pipeline, PipelineVersion, Promotion, Release, Service
from promotion.rules.content import Content, config_digest, content_fields, content_hash
from promotion.rules.pipeline import PipelineForm, StageForm
from promotion.rules.planning import PlannedStep, plan_steps


@dataclass(frozen=True, slots=True)
class Plan:
    """The stage, the steps with every name filled in, and what approvals are bound to."""

    version: PipelineVersion
    form: PipelineForm
    stage: StageForm
    steps: tuple[PlannedStep, ...]
    content: dict[str, Any]
    content_hash: str


def current_version(service: Service) -> PipelineVersion:
    """The newest version of the service's pipeline; InputError where it has none."""
    pipeline = Pipeline.objects.filter(service=service).first()
    version = pipeline.current if pipeline else None
    if version is None:
        raise InputError(
            f"{service.slug} has no pipeline, so nothing can be promoted. Apply one with"
            " 'manage.py pipeline apply FILE'."
        )
    return version


def stage_of(form: PipelineForm, environment: Environment) -> StageForm:
    """The stage that brings releases into the environment; InputError where there is none."""
    stage = form.stage_of(environment.slug)
    if stage is None:
        raise InputError(
            f"The pipeline of {form.service} has no stage for {environment.slug}. Nothing was asked for."
        )
    return stage


def plan(
    release: Release,
    environment: Environment,
    kind: str,
    version: PipelineVersion,
    number: str = "P-new",
) -> Plan:
    """What a promotion of the release into the environment would do by that version of the pipeline.

    `number` is the promotion's, where there is one already.
    """
    form = version.form
    stage = stage_of(form, environment)
    targets = [target.name for target in environment.targets.all()]
    names = names_of(release, environment, stage) | {"promotion": number}
    steps = plan_steps(stage, values=names, targets=targets)
    resolved = [
        {"kind": one.kind, "wave": one.wave, "targets": list(one.targets), "inputs": one.inputs}
        for one in steps
    ]
    content = Content(
        service=release.service.slug,
        artifacts=frozenset(release.digests),
        upstream=frozenset(stage.after),
        to=environment.slug,
        pipeline_version=version.number,
        config_digest=config_digest(resolved),
        kind=kind,
    )
    return Plan(version, form, stage, steps, content_fields(content), content_hash(content))


def plan_of(promotion: Promotion, version: PipelineVersion) -> Plan:
    """The same, for a promotion there is."""
    return plan(promotion.release, promotion.environment, promotion.kind, version, promotion.number)


def names_of(release: Release, environment: Environment, stage: StageForm) -> dict[str, str]:
    """The values of the names that templates in a pipeline may use, but for {target}."""
    artifacts = sorted(release.artifacts.all(), key=lambda artifact: artifact.short_name)
    values = {
        "service": release.service.slug,
        "version": release.version,
        "environment": environment.slug,
        "stage": stage.name,
        "commit": release.commit,
    }
    if len(artifacts) == 1:
        values["digest"] = artifacts[0].digest
    return values | {f"digest:{artifact.short_name}": artifact.digest for artifact in artifacts}
