"""Artifacts, their tags, and the builds that made them."""

from datetime import datetime

from promotion.models import (
    Artifact,
    ArtifactTag,
    Build,
    BuildArtifact,
    Evidence,
    Observation,
    RunResult,
    Service,
)

from .platforms import register_platforms
from .recorded import Recorded, Taking, fit
from .rejoining import rejoin_deployments
from .releases import make_releases
from .unresolved import ask_for_platforms, keep_tag, settle_tag

MADE_NOTHING = {RunResult.FAILED, RunResult.CANCELLED}


def record_artifact(taking: Taking) -> Recorded:
    """An artifact was published: its digest, under which name and tag."""
    fact = taking.fact
    if not fact.digest:
        return keep_tag(taking)
    service = taking.service
    artifact, is_new = know_artifact(
        fact.digest, service=service, name=fact.name or "", commit=fact.commit or "", taking=taking
    )
    service = artifact.service
    _know_tag(artifact, taking)
    if platforms := fact.details.get("platforms"):
        register_platforms(artifact, platforms)
    else:
        ask_for_platforms(artifact, taking)
    if service is None:
        recorded = Recorded("created" if is_new else "unchanged", artifact)
        recorded.note = f"No service has an artifact called {artifact.short_name or 'so'}; it is kept and joined later."
        return recorded
    link_builds(service.repository, artifact.commit)
    if fact.run_id:
        link_stated(
            artifact,
            Build.objects.filter(repository=service.repository, external_id=fact.run_id).first(),
        )
    releases = make_releases(service, artifact, taking.happened_at)
    rejoin_deployments(service)
    return Recorded(
        "created" if is_new else "updated",
        artifact,
        service,
        more=[f"Release {release.version}" for release in releases],
    )


def _know_tag(artifact: Artifact, taking: Taking) -> None:
    """Where the artifact was, under which tag, and since when."""
    fact = taking.fact
    if not (fact.version and fact.name):
        return
    # Of repositories that share a registry (Artifactory promotes between them) the key comes first.
    key = str(fact.details.get("repository_key") or "")
    place = f"{key}/{fact.name}" if key else fact.name
    tag, is_new = ArtifactTag.objects.get_or_create(
        artifact=artifact,
        repository=fit(ArtifactTag, "repository", place),
        tag=fit(ArtifactTag, "tag", fact.version),
        defaults={"seen_at": taking.happened_at, "is_from_registry": taking.is_from_registry},
    )
    if not is_new:
        tag.seen_at = min(tag.seen_at, taking.happened_at)
        tag.is_from_registry = tag.is_from_registry and taking.is_from_registry
        tag.save(update_fields=["seen_at", "is_from_registry"])
    settle_tag(artifact, fact.name, fact.version, taking.happened_at)


def know_artifact(
    digest: str, *, service: Service | None, name: str, commit: str, taking: Taking
) -> tuple[Artifact, bool]:
    """The artifact of that digest, made or completed with what was not known yet; never overwritten."""
    artifact, is_new = Artifact.objects.get_or_create(
        digest=digest,
        defaults={
            "name": name,
            "service": service,
            "commit": commit,
            "first_seen_at": taking.happened_at,
            "media_type": str(taking.fact.details.get("media_type", ""))[:200],
            "event": taking.event,
        },
    )
    if is_new:
        join_what_waited(artifact)
    changed = []
    for field, value in (("name", name), ("commit", commit)):
        known = getattr(artifact, field)
        # A longer commit that begins with the known one says the same, better.
        if value and (
            not known or (field == "commit" and len(value) > len(known) and value.startswith(known))
        ):
            setattr(artifact, field, value)
            changed.append(field)
    if service and artifact.service_id is None:
        artifact.service = service
        changed.append("service")
    if taking.happened_at < artifact.first_seen_at:
        artifact.first_seen_at = taking.happened_at
        changed.append("first_seen_at")
    if changed:
        artifact.save(update_fields=changed)
    return artifact, is_new


def join_what_waited(artifact: Artifact) -> None:
    """What was said of the digest before the artifact itself was told."""
    for model in (Evidence, Observation):
        model.objects.filter(digest=artifact.digest, artifact=None).update(artifact=artifact)


def link_stated(artifact: Artifact, build: Build | None) -> None:
    """A sender said that this build made it."""
    if build:
        BuildArtifact.objects.update_or_create(
            build=build, artifact=artifact, defaults={"is_stated": True}
        )


def link_builds(repository: str, commit: str) -> None:
    """Joins the artifacts of a commit with its build, where exactly one build fits; whatever came first."""
    if not repository or not commit:
        return
    builds = list(Build.objects.filter(repository__iexact=repository, commit=commit))
    for artifact in Artifact.objects.filter(
        service__repository__iexact=repository, commit=commit
    ).select_related("service"):
        links = BuildArtifact.objects.filter(artifact=artifact)
        if links.filter(is_stated=True).exists():
            links.filter(is_stated=False).delete()
            continue
        wanted = artifact.service.build_name if artifact.service else ""
        fitting = [
            build
            for build in builds
            # A run that failed made nothing that was published.
            if (not wanted or build.name == wanted) and build.result not in MADE_NOTHING
        ]
        if len(fitting) != 1:
            links.delete()
            continue
        links.exclude(build=fitting[0]).delete()
        BuildArtifact.objects.get_or_create(build=fitting[0], artifact=artifact)


def earliest_finish(artifact: Artifact) -> datetime | None:
    """When the earliest build of the digest finished."""
    times = (
        artifact.builds.exclude(finished_at=None)
        .order_by("finished_at")
        .values_list("finished_at", flat=True)
    )
    return times.first()
