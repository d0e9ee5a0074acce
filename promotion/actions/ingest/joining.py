"""From an event to a digest: the first rung of the ladder that gives exactly one."""

from collections.abc import Iterator
from dataclasses import dataclass

from promotion.models import Artifact, Deployment, Release, Service

Found = Deployment.Found


@dataclass(frozen=True, slots=True)
class Joined:
    """The digest, how it was found, and the candidates where several fit and none was chosen."""

    digest: str = ""
    artifact: Artifact | None = None
    release: Release | None = None
    found: str = Found.NONE
    how: str = "Nothing in the event leads to a digest."
    candidates: tuple[str, ...] = ()


def join_digest(service: Service, *, digest: str, version: str, commit: str) -> Joined:
    """The digest said → tag or version of an artifact of the service → commit → its build → its artifacts."""
    if digest:
        artifact = Artifact.objects.select_related("index").filter(digest=digest).first()
        if artifact and artifact.index:
            artifact = artifact.index  # a platform's digest counts as the index it belongs to
        said = artifact.digest if artifact else digest
        how = (
            "The sender said the digest."
            if artifact
            else "The sender said the digest; no build of it is known."
        )
        return Joined(said, artifact, release_of(service, artifact, version), Found.STATED, how)
    candidates: tuple[str, ...] = ()
    for how, artifacts in _rungs(service, version, commit):
        joined = _single(service, artifacts, how, version)
        if joined:
            return joined
        if artifacts:
            candidates = tuple(sorted(one.digest for one in artifacts))
            return Joined(how=f"{len(candidates)} digests fit: {how}", candidates=candidates)
    return Joined()


def release_of(service: Service, artifact: Artifact | None, version: str) -> Release | None:
    """The release the digest is of: the one of the version said, else the oldest."""
    if artifact is None:
        return None
    releases = list(artifact.releases.filter(service=service).order_by("created_at", "pk"))
    named = [
        one
        for one in releases
        if version and one.version == (service.version_in(version) or version)
    ]
    return next(iter(named or releases), None)


def _rungs(service: Service, version: str, commit: str) -> Iterator[tuple[str, list[Artifact]]]:
    mine = Artifact.objects.filter(service=service, index=None)
    if version:
        said = service.version_in(version) or version
        tagged = mine.filter(tags__tag=version) | mine.filter(
            releases__version=said, releases__service=service
        )
        yield f"by the version {version}.", list(tagged.distinct())
    if commit:
        labelled = mine.filter(commit__startswith=commit) | mine.filter(
            builds__commit__startswith=commit
        )
        yield f"by the commit {commit[:12]} and its build.", list(labelled.distinct())


def _single(service: Service, artifacts: list[Artifact], how: str, version: str) -> Joined | None:
    """One artifact, or the whole set of one release, which then goes by its main artifact."""
    if len(artifacts) > 1:
        releases = [
            one
            for one in Release.objects.filter(service=service, artifacts__in=artifacts)
            .distinct()
            .prefetch_related("artifacts")
            if {a.pk for a in one.artifacts.all()} == {a.pk for a in artifacts}
        ]
        if len(releases) != 1:
            return None
        main = main_artifact(service, artifacts)
        return Joined(main.digest, main, releases[0], Found.RESOLVED, f"Found {how}")
    if len(artifacts) == 1:
        one = artifacts[0]
        return Joined(
            one.digest, one, release_of(service, one, version), Found.RESOLVED, f"Found {how}"
        )
    return None


def main_artifact(service: Service, artifacts: list[Artifact]) -> Artifact:
    """The one called like the service, else the first the service names."""
    order = {name: n for n, name in enumerate(service.needed_artifacts)}
    return min(
        artifacts,
        key=lambda one: (one.short_name != service.slug, order.get(one.short_name, 99), one.digest),
    )
