"""What exactly a promotion would do, and the hash that approvals are bound to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from promotion.exceptions import InputError
from promotion.models import (
    Connection,
    Environment,
    Pipeline,
    PipelineVersion,
    Promotion,
    Release,
    Service,
)
from promotion.rules.content import Content, config_digest, content_fields, content_hash
from promotion.rules.pipeline import PipelineForm, StageForm
from promotion.rules.pipeline.references import CONNECTION_SETTINGS
from promotion.rules.planning import PlannedStep, plan_steps
from promotion.rules.settings import sets_of


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
    resolved = _resolve(form, steps)
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


def _resolve(form: PipelineForm, steps: Sequence[PlannedStep]) -> list[dict[str, Any]]:
    """The steps as they are approved, each with where the connections it names lead.

    A connection that leads elsewhere is another deployment under the same name; who approved the
    one has not approved the other. Only the digest is kept: a chat's address is a secret.
    """
    named = [_connections_of(form, step) for step in steps]
    places: dict[str, list[str]] = {
        name: [kind, address]
        for name, kind, address in Connection.objects.filter(
            name__in=set().union(*named)
        ).values_list("name", "kind", "address")
    }
    resolved = []
    for step, names in zip(steps, named, strict=True):
        one = {
            "kind": step.kind,
            "wave": step.wave,
            "targets": list(step.targets),
            "inputs": step.inputs,
        }
        if names:
            one["connections"] = {name: places.get(name) for name in sorted(names)}
        resolved.append(one)
    return resolved


def _connections_of(form: PipelineForm, step: PlannedStep) -> set[str]:
    if step.kind == "oci-copy":
        # Where the image lies is found among all of them.
        return {place.partition("/")[0] for place in form.repositories.values()}
    keys = CONNECTION_SETTINGS.get(step.kind, ("connection",))
    given = [one.get(key) for one in sets_of(step.inputs) for key in keys]
    return {str(name) for name in given if name}


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
