"""Builds: CI runs, folded from what is said of them."""

from typing import Any

from promotion.models import Build, Release, RunResult
from promotion.sources.base import Fact

from .artifacts import know_artifact, link_builds, link_stated
from .recorded import Recorded, Taking, fit
from .rejoining import rejoin_deployments
from .releases import make_releases

RANK = {
    RunResult.QUEUED: 1,
    RunResult.STARTED: 2,
    RunResult.CANCELLED: 3,
    RunResult.FAILED: 4,
    RunResult.SUCCEEDED: 5,
}


def record_build(taking: Taking) -> Recorded:
    """A CI run was queued, began or ended; however the messages arrive, the latest state stands."""
    fact = taking.fact
    service = taking.service
    build, is_new = Build.objects.get_or_create(
        source=taking.event.source,
        repository=fit(Build, "repository", fact.repository),
        external_id=fit(Build, "external_id", _identity(fact)),
        defaults={"received_at": taking.received_at, "event": taking.event},
    )
    changes = _changes(build, taking)
    if service and build.service_id is None:
        changes["service"] = service
    for name, value in changes.items():
        setattr(build, name, value)
    if changes:
        build.save(update_fields=list(changes))
    if fact.digest:
        artifact, _ = know_artifact(
            fact.digest, service=service, name=fact.name or "", commit=build.commit, taking=taking
        )
        link_stated(artifact, build)
        if artifact.service:
            make_releases(artifact.service, artifact, taking.happened_at)
    link_builds(build.repository, build.commit)
    _complete_releases(build)
    if service:
        rejoin_deployments(service)
    became = "created" if is_new else "updated" if changes else "unchanged"
    return Recorded(
        became,
        build,
        service,
        note="" if service else "No service has this repository; kept, and joined later.",
    )


def _identity(fact: Fact) -> str:
    return fact.external_id or fact.run_id or fact.commit or fact.digest or fact.name or ""


def _changes(build: Build, taking: Taking) -> dict[str, Any]:
    """The columns this fact adds or betters; of two results the later in a run's life stands."""
    fact = taking.fact
    changes: dict[str, Any] = {}
    for name in ("name", "commit", "version", "url", "actor"):
        value = getattr(fact, name)
        if value and not getattr(build, name):
            changes[name] = fit(Build, name, value)
    if fact.started_at and (build.started_at is None or fact.started_at < build.started_at):
        changes["started_at"] = fact.started_at
    if fact.result and _rank(fact.result) >= _rank(build.result) and fact.result != build.result:
        changes["result"] = fact.result
    is_later = build.finished_at is None or _rank(fact.result) >= _rank(build.result)
    if fact.finished_at and is_later and fact.finished_at != build.finished_at:
        changes["finished_at"] = fact.finished_at
    return changes


def _rank(result: str | None) -> int:
    return RANK.get(RunResult(result), 0) if result else 0


def _complete_releases(build: Build) -> None:
    """Releases that did not know their commit learn it from the build."""
    if build.commit:
        Release.objects.filter(artifacts__builds=build, commit="").update(commit=build.commit)
