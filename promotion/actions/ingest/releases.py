"""Releases: a version of a service, complete when every artifact the service names is there."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from promotion.models import Artifact, Release, Service


def make_releases(service: Service, artifact: Artifact, at: datetime) -> list[Release]:
    """The releases that the artifact's tags complete; one version may have several sets of digests."""
    versions = {service.version_in(tag) for tag in artifact.tags.values_list("tag", flat=True)} - {
        None
    }
    made = []
    for version in sorted(version for version in versions if version):
        artifacts = _complete_set(service, artifact, version)
        if artifacts:
            release, is_new = know_release(service, version, artifacts, at)
            made += [release] if is_new else []
    return made


def know_release(
    service: Service, version: str, artifacts: Iterable[Artifact], at: datetime
) -> tuple[Release, bool]:
    """The release of exactly these digests."""
    whole = sorted(artifacts, key=lambda one: one.digest)
    key = hashlib.sha256("\n".join(one.digest for one in whole).encode()).hexdigest()
    release, is_new = Release.objects.get_or_create(
        service=service,
        version=version,
        digests_sha256=key,
        defaults={"created_at": at, "commit": _commit_of(whole)},
    )
    if is_new:
        release.artifacts.set(whole)
    elif not release.commit and _commit_of(whole):
        release.commit = _commit_of(whole)
        release.save(update_fields=["commit"])
    return release, is_new


def _complete_set(service: Service, artifact: Artifact, version: str) -> list[Artifact]:
    """The artifact with one of each other name of that version; preferably of its commit, else the newest."""
    chosen: dict[str, Artifact] = {}
    others = (
        Artifact.objects.filter(service=service, index=None, tags__isnull=False)
        .exclude(pk=artifact.pk)
        .distinct()
        .order_by("first_seen_at", "pk")
        .prefetch_related("tags")
    )
    needed = service.needed_artifacts
    if len(needed) > 1:
        for other in others:
            if version not in {service.version_in(tag.tag) for tag in other.tags.all()}:
                continue
            before = chosen.get(other.short_name)
            if (
                before is None
                or other.commit == artifact.commit
                or before.commit != artifact.commit
            ):
                chosen[other.short_name] = other
    chosen[artifact.short_name] = artifact
    if len(needed) == 1:
        return (
            [artifact]
            if artifact.short_name.lower() == needed[0].lower() or not service.artifact_names
            else []
        )
    return [chosen[name] for name in needed] if all(name in chosen for name in needed) else []


def _commit_of(artifacts: list[Artifact]) -> str:
    """The commit they share; where the labels are silent, the builds'."""
    commits = {one.commit for one in artifacts if one.commit}
    commits = commits or {
        commit
        for one in artifacts
        for commit in one.builds.values_list("commit", flat=True)
        if commit
    }
    return commits.pop() if len(commits) == 1 else ""
