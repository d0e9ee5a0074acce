"""Releases, artifacts and tags: what exists more than once, what moved, what lies in a repository."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics.maturity.checks.facts import ArtifactDetail, ReleaseDetail, TagMove
from metrics.measures.history import Digest
from promotion.models import (
    Artifact,
    ArtifactTag,
    BuildArtifact,
    CheckedDigest,
    GateResult,
    Release,
    Service,
)

LOOKED_AT = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Stored:
    """When each digest was first known to be in a repository; and whose tags moved."""

    since: dict[str, datetime]
    moves: tuple[TagMove, ...]


def load_release_details(
    services: Iterable[int], at: datetime
) -> tuple[tuple[ReleaseDetail, ...], dict[Digest, str]]:
    """The releases made by `at`, and the version of each (service, digest); one query."""
    rows = (
        Release.artifacts.through.objects.filter(
            release__service__in=services, release__created_at__lte=at
        )
        .order_by("release__created_at", "release_id")
        .values_list(
            "release_id",
            "release__service__slug",
            "release__version",
            "release__created_at",
            "artifact__digest",
            "artifact__index__digest",
        )
    )
    digests: dict[tuple[int, str, str, datetime], set[str]] = defaultdict(set)
    versions: dict[Digest, str] = {}
    for key, service, version, created_at, digest, index in rows.iterator():
        digests[key, service, version, created_at].add(index or digest)
        versions[service, index or digest] = version
    releases = tuple(
        ReleaseDetail(service, version, frozenset(found), created_at)
        for (_, service, version, created_at), found in digests.items()
    )
    return releases, versions


def load_stored(services: Iterable[int], at: datetime) -> Stored:
    """Where the services' digests lie, by tags that were seen and by bytes that were read."""
    keys = list(services)
    owners = {each.pk: each for each in Service.objects.filter(pk__in=keys)}
    since: dict[str, datetime] = {}
    pointed: dict[tuple[int, str, str], set[str]] = defaultdict(set)
    rows = ArtifactTag.objects.filter(artifact__service__in=keys, seen_at__lte=at).values_list(
        "artifact__service", "repository", "tag", "artifact__digest", "artifact__index__digest",
        "seen_at",
    )  # fmt: skip
    for service, repository, tag, digest, index, seen_at in rows.iterator():
        if service is None:
            continue
        pointed[service, repository, tag].add(index or digest)
        _note(since, (digest, index), seen_at)
    for name, above, read_at in _load_reads(keys, at):
        _note(since, (name, above), read_at)
    moves = []
    for (service, repository, tag), found in pointed.items():
        named = owners[service].version_in(tag) if len(found) > 1 else None
        if named:
            moves.append(TagMove(owners[service].slug, named, repository))
    return Stored(since, tuple(moves))


def _note(times: dict[str, datetime], names: Iterable[str | None], at: datetime) -> None:
    for name in names:
        if name:
            times[name] = min(times.get(name, at), at)


def _load_reads(services: list[int], at: datetime) -> list[tuple[str, str | None, datetime]]:
    """When all bytes of a digest were read in a repository: checksum gates that were open."""
    gates = GateResult.objects.filter(
        promotion__service__in=services,
        gate="checksum",
        verdict=GateResult.Verdict.OPEN,
        exception=None,
        break_glass=None,
        measured_at__lte=at,
    ).values_list(
        "promotion__release__artifacts__digest",
        "promotion__release__artifacts__index__digest",
        "measured_at",
    )
    checked = CheckedDigest.objects.filter(
        artifact__service__in=services, checked_at__lte=at
    ).values_list("artifact__digest", "artifact__index__digest", "checked_at")
    return [row for row in (*gates, *checked) if row[0]]


def load_artifact_details(services: Iterable[int], at: datetime) -> tuple[ArtifactDetail, ...]:
    """The artifacts first seen in the year before `at` and what each lacks; three queries."""
    keys = list(services)
    shown = Artifact.objects.filter(
        service__in=keys, index=None, first_seen_at__lte=at, first_seen_at__gt=at - LOOKED_AT
    )
    builds: dict[int, list[tuple[str, str, str, datetime | None]]] = defaultdict(list)
    made = BuildArtifact.objects.filter(artifact__in=shown, build__received_at__lte=at)
    for key, number, commit, builder, finished_at in made.values_list(
        "artifact_id", "build__external_id", "build__commit", "build__source", "build__finished_at"
    ):
        builds[key].append((number, commit, builder, finished_at))
    versions: dict[int, str] = dict(
        Release.artifacts.through.objects.filter(artifact__in=shown).values_list(
            "artifact_id", "release__version"
        )
    )
    details = []
    for key, digest, name, service, team, commit, first_seen_at in shown.order_by("pk").values_list(
        "pk", "digest", "name", "service__slug", "service__team", "commit", "first_seen_at"
    ):
        made_by = builds[key]
        has = {
            "commit": bool(commit) or any(each[1] for each in made_by),
            "build id": any(each[0] for each in made_by),
            "version": key in versions,
            "builder": any(each[2] for each in made_by),
            "time": any(each[3] for each in made_by),
            "owner": team is not None,
        }
        lacks = tuple(word for word, there in has.items() if not there)
        short_name = name.rpartition("/")[2]
        version = versions.get(key, "")
        details.append(ArtifactDetail(digest, short_name, service, version, first_seen_at, lacks))
    return tuple(details)
