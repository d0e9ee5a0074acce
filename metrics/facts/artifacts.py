"""Releases, builds and statements about digests, as facts."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet

from metrics.measures.base import BuildFact, EvidenceFact, ReleaseFact
from promotion.models import (
    Artifact,
    BuildArtifact,
    Deployment,
    Evidence,
    Observation,
    Release,
)

from .naming import build_key, release_key

ASKED_FOR = ("signature", "provenance")


def load_platforms(services: Collection[int] | None = None) -> dict[str, str]:
    """Each platform's digest and the digest of the index it belongs to."""
    rows = Artifact.objects.exclude(index=None)
    if services is not None:
        told = Deployment.objects.filter(service__in=services).values("digest")
        seen = Observation.objects.filter(service__in=services).values("digest")
        rows = rows.filter(
            Q(service__in=services)
            | Q(digest__in=told)
            | Q(digest__in=seen)
            | Q(releases__service__in=services)
        ).distinct()
    return dict(rows.values_list("digest", "index__digest").iterator())


def load_releases(services: Collection[int] | None = None) -> tuple[ReleaseFact, ...]:
    """The releases with their digests; a platform's digest stands for its index."""
    rows = Release.artifacts.through.objects.order_by("release_id").values_list(
        "release_id",
        "release__service__slug",
        "release__version",
        "artifact__digest",
        "artifact__index__digest",
    )
    if services is not None:
        rows = rows.filter(release__service__in=services)
    digests: dict[tuple[int, str, str], set[str]] = defaultdict(set)
    for key, service, version, digest, index in rows.iterator():
        digests[key, service, version].add(index or digest)
    return tuple(
        ReleaseFact(release_key(key), service, frozenset(found), version)
        for (key, service, version), found in digests.items()
    )


def load_builds(as_of: datetime, services: Collection[int] | None = None) -> tuple[BuildFact, ...]:
    """The finished builds received by `as_of`, one fact for each artifact they made."""
    rows = BuildArtifact.objects.filter(build__received_at__lte=as_of)
    if services is not None:
        rows = rows.filter(artifact__service__in=services) | rows.filter(
            artifact__service=None, build__service__in=services
        )
    return _read_builds(rows)


def load_homeless_builds(as_of: datetime) -> tuple[BuildFact, ...]:
    """The finished builds received by `as_of` of which no service is known."""
    return _read_builds(
        BuildArtifact.objects.filter(
            build__received_at__lte=as_of, artifact__service=None, build__service=None
        )
    )


def _read_builds(found: QuerySet[BuildArtifact]) -> tuple[BuildFact, ...]:
    rows = found.values_list(
        "build_id",
        "artifact__service__slug",
        "build__service__slug",
        "artifact__digest",
        "build__finished_at",
        "build__received_at",
        "build__commit",
        "artifact__commit",
        "build__version",
    )
    return tuple(
        BuildFact(
            id=build_key(key),
            service=of_artifact or of_build or "",
            digest=digest,
            finished_at=finished_at,
            received_at=received_at,
            # Some senders name the commit with the artifact only.
            commit=commit or stated_commit or None,
            version=version or None,
        )
        for (
            key,
            of_artifact,
            of_build,
            digest,
            finished_at,
            received_at,
            commit,
            stated_commit,
            version,
        ) in rows.order_by("pk").iterator()
        if finished_at is not None
    )


def load_evidence(
    as_of: datetime, services: Collection[int] | None = None
) -> tuple[EvidenceFact, ...]:
    """The statements a pipeline may ask for that were received by `as_of`."""
    rows = Evidence.objects.filter(type__in=ASKED_FOR, received_at__lte=as_of)
    found = [rows]
    if services is not None:
        # A statement is about a digest, whoever deploys it. Each by an index of its own, since
        # one condition with "or" would read all there is.
        told = Deployment.objects.filter(service__in=services).values("digest")
        found = [
            rows.filter(artifact__service__in=services),
            rows.filter(digest__in=told),
            rows.filter(artifact__index__digest__in=told),
        ]
    columns = ("digest", "artifact__index__digest", "type", "is_verified", "result", "received_at")
    statements = {
        key: tuple(rest) for each in found for key, *rest in each.values_list("pk", *columns)
    }
    return tuple(
        EvidenceFact(
            digest=index or digest,
            type=kind,
            verified=is_verified and result != Evidence.Result.FAILED,
            received_at=received_at,
            id=f"evidence-{key}",
        )
        for key, (digest, index, kind, is_verified, result, received_at) in sorted(
            statements.items()
        )
    )
