"""What stands where now: the current state of every service and environment, in a few bulk queries.

Each lane's newest row is found by a correlated subquery that one index answers, so the cost grows
with the lanes shown and not with the history behind them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from promotion.models import Deployment, Environment, Observation, Release, RunResult, Service

RAN = (RunResult.SUCCEEDED, RunResult.REMOVED)
ENDED = (*RAN, RunResult.FAILED, RunResult.CANCELLED, RunResult.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class Placed:
    """One deployment as far as the matrix needs it; `digests` are those of its whole release."""

    release: int | None
    version: str
    commit: str
    at: datetime
    result: str
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest observation of a lane; `digests` holds the digest seen and, of a platform, its index."""

    digest: str
    digests: frozenset[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Lane:
    """What runs, what ended last (perhaps a failure), and what was last seen."""

    running: Placed | None = None
    last: Placed | None = None
    seen: Seen | None = None


Lanes = dict[tuple[int, int], Lane]


def read_services(
    services: QuerySet[Service], environments: Sequence[Environment]
) -> tuple[list[Service], Lanes]:
    """The services, and their lanes by (service, environment); five queries however many."""
    keyed = list(services.select_related("team").annotate(**_newest_keys(environments)))
    keys = _collect(keyed, environments)
    placed = _read_deployments({*keys["running"].values(), *keys["last"].values()})
    seen = _read_observations(set(keys["seen"].values()))
    lanes = {}
    for lane in {lane for found in keys.values() for lane in found}:
        running = placed.get(keys["running"].get(lane, 0))
        if running and running.result == RunResult.REMOVED:
            running = None
        last = placed.get(keys["last"].get(lane, 0))
        lanes[lane] = Lane(running, last, seen.get(keys["seen"].get(lane, 0)))
    return keyed, lanes


def _newest_keys(environments: Sequence[Environment]) -> dict[str, Subquery]:
    newest: dict[str, Subquery] = {}
    for place in environments:
        deployments = Deployment.objects.filter(
            service=OuterRef("pk"), environment=place, finished_at__isnull=False
        ).order_by("-finished_at", "-pk")
        observations = Observation.objects.filter(
            service=OuterRef("pk"), environment=place
        ).order_by("-seen_at", "-pk")
        for name, rows in (
            ("running", deployments.filter(result__in=RAN)),
            ("last", deployments.filter(result__in=ENDED)),
            ("seen", observations),
        ):
            newest[f"{name}_{place.pk}"] = Subquery(rows.values("pk")[:1])
    return newest


def _collect(
    services: Iterable[Service], environments: Sequence[Environment]
) -> dict[str, dict[tuple[int, int], int]]:
    keys: dict[str, dict[tuple[int, int], int]] = {"running": {}, "last": {}, "seen": {}}
    for service in services:
        columns = vars(service)
        for place in environments:
            for name, found in keys.items():
                key = columns[f"{name}_{place.pk}"]
                if key is not None:
                    found[service.pk, place.pk] = key
    return keys


def _read_deployments(keys: set[int]) -> dict[int, Placed]:
    rows = list(
        Deployment.objects.filter(pk__in=keys).values_list(
            "pk", "release", "version", "release__version", "commit", "release__commit",
            "finished_at", "result", "digest",
        )
    )  # fmt: skip
    digests = read_digests({row[1] for row in rows if row[1]})
    return {
        key: Placed(
            release=release,
            version=release_version or version or digest[7:19],
            commit=release_commit or commit or "",
            at=at,
            result=result,
            digests=digests.get(release, frozenset()) or frozenset({digest} - {""}),
        )
        for key, release, version, release_version, commit, release_commit, at, result, digest in rows
        if at is not None
    }


def read_digests(releases: set[int]) -> dict[int, frozenset[str]]:
    """The digests of each release's artifacts; one query."""
    through: Any = Release.artifacts.through
    found: dict[int, set[str]] = defaultdict(set)
    rows = through.objects.filter(release__in=releases)
    for release, digest in rows.values_list("release", "artifact__digest"):
        found[release].add(digest)
    return {release: frozenset(digests) for release, digests in found.items()}


def _read_observations(keys: set[int]) -> dict[int, Seen]:
    rows = Observation.objects.filter(pk__in=keys).values_list(
        "pk", "digest", "artifact__index__digest", "seen_at"
    )
    return {
        key: Seen(digest, frozenset({digest, index} - {None}), at)
        for key, digest, index, at in rows
    }
