"""The step wait-for-deployment: until it was reported or seen to run where it should."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from promotion.models import (
    Artifact,
    Correction,
    Deployment,
    Observation,
    RunResult,
    StepRun,
)
from promotion.rules.settings import Problem, unknown_keys

from .base import Outcome, StepContext, StepResult

# What arrives wakes it at once; this catches what did not. Those that began together are spread, so
# that many of them never come before others in one crowd.
LOOK_AGAIN_IN = timedelta(seconds=30)
SPREAD = 15
SUCCEEDED = "succeeded"
FAILED = (RunResult.FAILED, RunResult.CANCELLED, RunResult.ROLLED_BACK)
UNDER_WAY = (RunResult.QUEUED, RunResult.STARTED)
# Of what ran before the promotion only the newest facts matter.
MOST_EARLIER = 200


@dataclass(frozen=True, slots=True)
class Fact:
    """A report or sight of a digest on a target; `result` as in a deployment."""

    at: datetime
    target: str
    digest: str
    name: str
    result: str
    url: str = ""


class WaitForDeploymentStep:
    """Reads only: deployments and observations since the promotion started.

    What ran before counts only where this promotion's commit found nothing to change: then
    nothing will be deployed again, and the newest fact of each target decides.
    """

    kind = "wait-for-deployment"
    title = "Wait for the deployment"
    default_timeout: timedelta | None = timedelta(minutes=15)
    is_verification = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`artifacts` may name those that are deployed, by default all of the release."""
        yield from unknown_keys(self.kind, settings, ("artifacts",))
        names = settings.get("artifacts")
        if names is not None and (
            not isinstance(names, list | tuple)
            or not names
            or not all(isinstance(one, str) for one in names)
        ):
            yield "artifacts", "artifacts must be a list of names."

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'Until it is seen running'."""
        names = inputs.get("artifacts")
        return f"Until {', '.join(names)} is seen running" if names else "Until it is seen running"

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: it only reads."""
        return True

    def start(self, context: StepContext) -> StepResult:
        """Succeeds once every target runs every digest; fails once one reports that it failed."""
        artifacts = _artifacts(context)
        if not artifacts:
            message = "The release has none of the artifacts to wait for. Correct the pipeline."
            return StepResult(Outcome.ERRORED, message, {"is_retryable": False})
        targets = tuple(context.step_run.targets) or ("",)
        facts = _facts(context, artifacts)
        newest = _fold(facts, artifacts, targets)
        failed = [fact for fact in newest.values() if fact.result in FAILED]
        done = [t for t in targets if all(_runs(newest.get((t, a.digest))) for a in artifacts)]
        message = _describe(newest, artifacts, targets, facts)
        output = {"done": done, "missing": [target for target in targets if target not in done]}
        if failed:
            return StepResult(Outcome.FAILED, _describe_failure(failed), output)
        if len(done) == len(targets):
            return StepResult(Outcome.SUCCEEDED, message, output)
        return StepResult(
            Outcome.WAITING, message, output, _pause(context), progress=len(done) / len(targets)
        )

    def look(self, context: StepContext) -> StepResult:
        """The same: what is on record decides."""
        return self.start(context)


def _pause(context: StepContext) -> timedelta:
    """Until the next look, but no longer than until it times out."""
    pause = LOOK_AGAIN_IN + timedelta(seconds=context.promotion.pk % SPREAD)
    left = context.deadline - context.at if context.deadline else pause
    return max(min(pause, left), timedelta(0))


def _artifacts(context: StepContext) -> list[Artifact]:
    names = context.inputs.get("artifacts")
    found = context.promotion.release.artifacts.prefetch_related("platforms").order_by(
        "name", "digest"
    )
    return [artifact for artifact in found if not names or artifact.short_name in names]


def _facts(context: StepContext, artifacts: list[Artifact]) -> list[Fact]:
    """What is known of the lane, oldest first."""
    promotion = context.promotion
    lane = {"service": promotion.service_id, "environment": promotion.environment_id}
    deployments = Deployment.objects.filter(**lane).exclude(
        pk__in=_voided(Correction.Subject.DEPLOYMENT)
    )
    observations = Observation.objects.filter(**lane).exclude(
        pk__in=_voided(Correction.Subject.OBSERVATION)
    )
    ours = {artifact.digest: artifact for artifact in artifacts}
    ours |= {child.digest: artifact for artifact in artifacts for child in artifact.platforms.all()}
    if not _commit_changed_nothing(context):
        since = promotion.started_at or context.begun_at
        ended, begun = Q(finished_at__gte=since), Q(finished_at=None, started_at__gte=since)
        deployments = deployments.filter(ended | begun, digest__in=ours)
        observations = observations.filter(digest__in=ours, seen_at__gte=since)
    rows = deployments.select_related("artifact").order_by("-finished_at", "-pk")[:MOST_EARLIER]
    seen = observations.select_related("artifact").order_by("-seen_at", "-pk")[:MOST_EARLIER]
    facts = [
        _fact(row.finished_at or row.started_at or row.received_at, row, ours, row.result, row.url)
        for row in rows
    ]
    facts += [_fact(row.seen_at, row, ours, SUCCEEDED) for row in seen]
    return sorted(facts, key=lambda fact: fact.at)


def _fact(
    at: datetime,
    row: Deployment | Observation,
    ours: Mapping[str, Artifact],
    result: str,
    url: str = "",
) -> Fact:
    """A platform's child digest stands for its index; the name of an unknown digest is empty."""
    artifact = ours.get(row.digest) or row.artifact
    digest = artifact.digest if row.digest in ours and artifact else row.digest
    return Fact(at, row.target, digest, artifact.short_name if artifact else "", result, url)


def _voided(subject: Correction.Subject) -> Any:
    return Correction.objects.filter(subject=subject).values("subject_id")


def _commit_changed_nothing(context: StepContext) -> bool:
    """Did every commit of this wave find its files as they should be already?"""
    runs = context.promotion.step_runs.filter(
        kind="git-commit",
        wave=context.step_run.wave,
        position__lt=context.step_run.position,
        state=StepRun.State.SUCCEEDED,
    )
    outputs = list(runs.values_list("output", flat=True))
    return bool(outputs) and all(output.get("is_unchanged") for output in outputs)


def _fold(
    facts: list[Fact], artifacts: list[Artifact], targets: tuple[str, ...]
) -> dict[tuple[str, str], Fact]:
    """The newest fact about each artifact on each target, where it is about this very digest."""
    newest: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        for artifact in artifacts:
            # An environment without targets is one place, whatever its parts are called.
            for target in targets:
                if target and fact.target != target:
                    continue
                if fact.digest == artifact.digest:
                    newest[target, artifact.digest] = fact
                elif fact.name in ("", artifact.short_name) and fact.result == SUCCEEDED:
                    newest.pop((target, artifact.digest), None)
    return newest


def _runs(fact: Fact | None) -> bool:
    return fact is not None and fact.result == SUCCEEDED


def _describe(
    newest: Mapping[tuple[str, str], Fact],
    artifacts: list[Artifact],
    targets: tuple[str, ...],
    facts: list[Fact],
) -> str:
    """'eu-1 runs 9f3c…, us-1 not yet.'."""
    said = []
    for target in targets:
        for artifact in artifacts:
            name = f"{artifact.short_name} " if len(artifacts) > 1 else ""
            short = artifact.digest[7:19]
            fact = newest.get((target, artifact.digest))
            place = target or "the environment"
            if _runs(fact):
                said.append(f"{place} runs {name}{short}")
            elif fact is not None and fact.result in UNDER_WAY:
                said.append(f"{place} has begun with {name}{short}")
            else:
                said.append(f"{place} not yet {name}".rstrip())
    sentence = ", ".join(said) + "."
    if targets != ("",) and any(not fact.target for fact in facts):
        sentence += (
            " A report named no target, so it counts for none; map its target under Integrations."
        )
    return sentence[:1].upper() + sentence[1:] if targets == ("",) else sentence


def _describe_failure(failed: list[Fact]) -> str:
    said = ", ".join(f"{fact.target or 'the environment'}: {fact.result}" for fact in failed)
    urls = " ".join(dict.fromkeys(fact.url for fact in failed if fact.url))
    name = failed[0].name or failed[0].digest[7:19]
    return f"The deployment of {name} did not succeed ({said}). {urls}".strip()
