"""Everything on record about one digest, read in a fixed number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, Prefetch, Q

from promotion.models import (
    Artifact,
    ArtifactTag,
    BuildArtifact,
    Commit,
    Correction,
    Deployment,
    Evidence,
    Observation,
    Promotion,
    Release,
)


@dataclass(frozen=True, slots=True)
class DigestRecord:
    """From the commit to what was seen running; facts that were corrected are left out.

    `artifact` is None for a digest that was only deployed or seen; a platform's digest is
    answered with the record of its index.
    """

    digest: str
    artifact: Artifact | None
    commits: tuple[Commit, ...]
    builds: tuple[BuildArtifact, ...]
    evidence: tuple[Evidence, ...]
    releases: tuple[Release, ...]
    promotions: tuple[Promotion, ...]
    deployments: tuple[Deployment, ...]
    observations: tuple[Observation, ...]

    @property
    def is_known(self) -> bool:
        """Anything at all speaks of the digest."""
        return bool(self.artifact or self.evidence or self.deployments or self.observations)


def read_digest(digest: str) -> DigestRecord:
    """Reads all that speaks of the digest, oldest first but for releases and promotions."""
    artifact = _whole(digest)
    rows = [artifact, *artifact.platforms.all()] if artifact else []
    digests = [one.digest for one in rows] or [digest]
    builds = tuple(
        BuildArtifact.objects.filter(artifact__in=rows)
        .exclude(build__in=_voided(Correction.Subject.BUILD))
        .select_related("build__service")
        .order_by("build__received_at", "pk")
    )
    releases = tuple(
        Release.objects.filter(artifacts=artifact)
        .select_related("service", "vetoed_by")
        .prefetch_related("artifacts")
        .annotate(was_built_again=Exists(Release.objects.others_of_version()))
        .newest_first()
        if artifact
        else ()
    )
    return DigestRecord(
        digest=digest,
        artifact=artifact,
        commits=_commits(artifact, builds),
        builds=builds,
        evidence=tuple(Evidence.objects.filter(digest__in=digests).order_by("received_at", "pk")),
        releases=releases,
        promotions=tuple(
            Promotion.objects.filter(release__in=releases)
            .for_display()
            .prefetch_related("release__artifacts", "approvals__person")
            .order_by("-pk")
        ),
        deployments=tuple(
            Deployment.objects.filter(digest__in=digests)
            .exclude(pk__in=_voided(Correction.Subject.DEPLOYMENT))
            .select_related("service", "environment")
            .order_by("finished_at", "pk")
        ),
        observations=tuple(
            Observation.objects.filter(digest__in=digests)
            .exclude(pk__in=_voided(Correction.Subject.OBSERVATION))
            .select_related("service", "environment")
            .order_by("seen_at", "pk")
        ),
    )


def _whole(digest: str) -> Artifact | None:
    """The artifact, or the index a platform belongs to, with what its serializer names."""
    found = Artifact.objects.filter(digest=digest).first()
    if found is None:
        return None
    return (
        Artifact.objects.select_related("service", "index")
        .prefetch_related(
            Prefetch("tags", ArtifactTag.objects.with_moves()),
            "platforms",
            "builds",
            "releases__service",
        )
        .get(pk=found.index_id or found.pk)
    )


def _commits(artifact: Artifact | None, builds: Iterable[BuildArtifact]) -> tuple[Commit, ...]:
    """Those its builds ran on; without a build, the one its labels name."""
    named = {(one.build.repository, one.build.commit) for one in builds if one.build.commit}
    if not named and artifact and artifact.service and artifact.commit:
        named = {(artifact.service.repository, artifact.commit)}
    if not named:
        return ()
    wanted = Q()
    for repository, sha in named:
        wanted |= Q(repository=repository, sha=sha)
    return tuple(Commit.objects.filter(wanted).order_by("committed_at", "pk"))


def _voided(subject: str) -> Iterable[int]:
    return Correction.objects.filter(subject=subject).values_list("subject_id", flat=True)
