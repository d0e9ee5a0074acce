"""From an event to a digest: the first rung of the ladder that gives exactly one."""

from collections.abc import Iterator
from dataclasses import dataclass

from promotion.models import (
    Artifact,
    ArtifactTag,
    Build,
    Commit,
    Deployment,
    Release,
    Service,
)

Found = Deployment.Found
# Hexadecimal digits of a whole commit, by SHA-1 and by SHA-256.
WHOLE_COMMITS = (40, 64)


@dataclass(frozen=True, slots=True)
class Joined:
    """The digest, how it was found, and the candidates where several fit and none was chosen."""

    digest: str = ""
    artifact: Artifact | None = None
    release: Release | None = None
    found: str = Found.NONE
    how: str = "Nothing in the event leads to a digest."
    candidates: tuple[str, ...] = ()


def join_digest(
    service: Service, *, digest: str, version: str, commit: str, repository: str = ""
) -> Joined:
    """The digest said → tag or version of an artifact of the service → commit → its build → its artifacts.

    `repository` is where the commit is, as the sender said. A tag that only a registry could tell
    the digest of was made an artifact's by then (see unresolved), and is found by the second rung.
    """
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
    for how, artifacts, is_clear in _rungs(service, version, commit, repository):
        joined = _single(service, artifacts, how, version) if is_clear else None
        if joined:
            return joined
        if artifacts:
            candidates = tuple(sorted(one.digest for one in artifacts))
            fit = "1 digest fits" if len(candidates) == 1 else f"{len(candidates)} digests fit"
            return Joined(how=f"{fit}: {how}", candidates=candidates)
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


def repository_said(deployment: Deployment) -> str:
    """The repository that the latest report about it named, empty where none did."""
    for fact in deployment.reports.order_by("-occurred_at", "-pk").values_list("fact", flat=True):
        if fact.get("repository"):
            return str(fact["repository"])
    return ""


def _rungs(
    service: Service, version: str, commit: str, repository: str
) -> Iterator[tuple[str, list[Artifact], bool]]:
    """How, what fits, and whether it is clear what was meant."""
    mine = Artifact.objects.filter(service=service, index=None)
    if version:
        said = service.version_in(version) or version
        tagged = mine.filter(tags__tag=version) | mine.filter(
            releases__version=said, releases__service=service
        )
        found = list(tagged.distinct())
        yield f"by the version {version}{_who_told(found, version)}.", found, True
    if commit and (whole := _whole_commits(service, commit, repository)):
        labelled = mine.filter(commit__in=whole) | mine.filter(builds__commit__in=whole)
        found = list(labelled.distinct())
        if _are_one(whole):
            yield f"by the commit {commit[:12]} and its build.", found, True
        else:
            how = f"the commit {commit} is short for several commits of {service.repository}."
            yield how, found, False


def _who_told(artifacts: list[Artifact], version: str) -> str:
    """That no sender said which digest the tag is."""
    tags = ArtifactTag.objects.filter(artifact__in=artifacts, tag=version)
    told = set(tags.values_list("is_from_registry", flat=True))
    return ", which the registry was asked for" if told == {True} else ""


def _whole_commits(service: Service, commit: str, repository: str) -> list[str]:
    """The commits it may be: itself where it is whole; a prefix only inside its own repository."""
    if len(commit) in WHOLE_COMMITS:
        return [commit]
    if repository and repository.lower() != service.repository.lower():
        return []
    mine = Artifact.objects.filter(service=service, commit__startswith=commit)
    found = set(mine.values_list("commit", flat=True))
    if service.repository:
        place = service.repository
        builds = Build.objects.filter(repository__iexact=place, commit__startswith=commit)
        commits = Commit.objects.filter(repository__iexact=place, sha__startswith=commit)
        found |= set(builds.values_list("commit", flat=True))
        found |= set(commits.values_list("sha", flat=True))
    return sorted(found)


def _are_one(commits: list[str]) -> bool:
    """Whether they are one commit, written longer and shorter."""
    longest = max(commits, key=len)
    return all(longest.startswith(one) for one in commits)


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
