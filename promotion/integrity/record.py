"""Everything on record about the digests of one release, read in a fixed number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Prefetch, Q

from promotion.models import (
    Artifact,
    ArtifactTag,
    Build,
    Commit,
    Correction,
    Deployment,
    Evidence,
    Observation,
    PipelineVersion,
    Promotion,
    Release,
)

COMMITS_SHOWN = 100


@dataclass(frozen=True)
class ReleaseRecord:
    """The rows of one release; facts that were corrected are left out."""

    release: Release
    artifacts: tuple[Artifact, ...]
    evidence: tuple[Evidence, ...]
    deployments: tuple[Deployment, ...]
    observations: tuple[Observation, ...]
    promotions: tuple[Promotion, ...]
    versions: tuple[PipelineVersion, ...]
    voided_builds: frozenset[int]

    @cached_property
    def artifact_of(self) -> dict[str, Artifact]:
        """By digest; a platform's digest is that of its index."""
        found = {}
        for artifact in self.artifacts:
            found[artifact.digest] = artifact
            found |= {platform.digest: artifact for platform in artifact.platforms.all()}
        return found

    @property
    def moved_tags(self) -> tuple[ArtifactTag, ...]:
        """Tags that named one of the artifacts and were seen at another digest later."""
        tags = [tag for one in self.artifacts for tag in one.tags.all()]
        return tuple(tag for tag in tags if getattr(tag, "moved_at", None))

    @cached_property
    def builds(self) -> tuple[Build, ...]:
        """Of any of the artifacts, earliest first."""
        rows = {build.pk: build for one in self.artifacts for build in self.builds_of(one)}
        return tuple(sorted(rows.values(), key=lambda build: (build.received_at, build.pk)))

    def builds_of(self, artifact: Artifact) -> list[Build]:
        """The builds that made the artifact."""
        return [build for build in artifact.builds.all() if build.pk not in self.voided_builds]

    def deployments_of(self, artifact: Artifact) -> list[Deployment]:
        """Those that say one of the artifact's digests, oldest first."""
        return [one for one in self.deployments if self.artifact_of.get(one.digest) is artifact]


def read_record(release: Release) -> ReleaseRecord:
    """Reads all that the trace of the release names."""
    artifacts = tuple(
        release.artifacts.prefetch_related(
            "builds", "platforms", Prefetch("tags", ArtifactTag.objects.with_moves())
        ).order_by("name", "digest")
    )
    digests = [one.digest for one in artifacts]
    digests += [platform.digest for one in artifacts for platform in one.platforms.all()]
    deployments = (
        Deployment.objects.filter(Q(digest__in=digests) | Q(release=release))
        .filter(service=release.service_id)
        .exclude(pk__in=_voided(Correction.Subject.DEPLOYMENT))
        .select_related("environment", "promotion")
        .prefetch_related("promotion__approvals__person")
        .order_by("finished_at", "pk")
    )
    observations = (
        Observation.objects.filter(service=release.service_id, digest__in=digests)
        .exclude(pk__in=_voided(Correction.Subject.OBSERVATION))
        .select_related("environment")
        .order_by("seen_at", "pk")
    )
    return ReleaseRecord(
        release=release,
        artifacts=artifacts,
        evidence=tuple(Evidence.objects.filter(digest__in=digests).order_by("type", "issued_at")),
        deployments=tuple(deployments),
        observations=tuple(observations),
        promotions=tuple(
            release.promotions.for_display().prefetch_related("approvals__person").order_by("-pk")
        ),
        versions=tuple(
            PipelineVersion.objects.filter(pipeline__service=release.service_id).order_by("number")
        ),
        voided_builds=frozenset(_voided(Correction.Subject.BUILD)),
    )


def commits_of_release(release: Release) -> tuple[tuple[Commit, ...], Release | None]:
    """The commits since the release before it, newest first, and that release.

    Where the line between the two is not known, the release's own commit alone and None.
    """
    before = (
        Release.objects.filter(service=release.service_id, created_at__lt=release.created_at)
        .exclude(commit__in=["", release.commit])
        .newest_first()
        .first()
    )
    repository = release.service.repository
    if before is not None:
        between = Commit.objects.between(
            repository, before.commit, release.commit, limit=COMMITS_SHOWN
        )
        if between is not None:
            return between, before
    own = Commit.objects.filter(repository=repository, sha=release.commit)
    return tuple(own) if release.commit else (), None


def _voided(subject: str) -> Iterable[int]:
    return Correction.objects.filter(subject=subject).values_list("subject_id", flat=True)
