"""What runs where in one environment since when, and what was seen running there instead.

Each lane's newest row is found by a subquery that one index answers: the cost grows with the
services and targets, not with the history behind them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from promotion.models import (
    Artifact,
    Deployment,
    Environment,
    Observation,
    Promotion,
    Release,
    RunResult,
    Service,
)

from .matrix import UNHEARD_OF_AFTER
from .places import RAN, read_digests

WHOLE = ""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Drift:
    """Another digest than the last deployed one was seen; `release` is what it belongs to, if known."""

    digest: str
    since: datetime
    release: Release | None


@dataclass(slots=True)
class Running:
    """One service on one target (empty = the environment as a whole)."""

    service: Service
    target: str
    deployment: Deployment | None
    seen: Observation | None
    drift: Drift | None = None
    is_unheard_of: bool = False
    """It was seen here once and has not been for three intervals: what runs is not known."""

    @property
    def promotion(self) -> Promotion | None:
        """What brought it, where one of ours did."""
        return self.deployment.promotion if self.deployment else None


def list_running(environment: Environment, at: datetime) -> list[Running]:
    """Drift first, then by service and target; a fixed number of queries."""
    targets = [WHOLE, *(target.name for target in environment.targets.all())]
    services = list(
        Service.objects.select_related("team").annotate(**_newest_keys(environment, targets))
    )
    deployments = _read(Deployment, services, "ran")
    seen = _read(Observation, services, "seen")
    digests = read_digests({one.release_id for one in deployments.values() if one.release_id})
    rows = []
    for service in services:
        columns = vars(service)
        ran = [deployments.get(columns[f"ran_{number}"]) for number in range(len(targets))]
        for number, target in enumerate(targets):
            sight = seen.get(columns[f"seen_{number}"])
            if ran[number] is not None or sight is not None:
                there = _newest([ran[number], ran[0]] if target else [ran[0] or _newest(ran)])
                if there is not None and there.result == RunResult.REMOVED:
                    there = None
                if there is not None or sight is not None:
                    rows.append(Running(service, target, there, sight))
    _judge(rows, digests, at)
    return sorted(rows, key=lambda row: (row.drift is None, row.service.slug, row.target))


def _newest(deployments: Sequence[Deployment | None]) -> Deployment | None:
    """Who deploys into the environment as a whole deploys onto each of its targets."""
    known = [one for one in deployments if one is not None]
    return max(known, key=lambda one: one.finished_at or LONG_AGO, default=None)


def _newest_keys(environment: Environment, targets: Sequence[str]) -> dict[str, Subquery]:
    keys: dict[str, Subquery] = {}
    for number, target in enumerate(targets):
        lane = {"service": OuterRef("pk"), "environment": environment, "target": target}
        ran = Deployment.objects.filter(**lane, finished_at__isnull=False, result__in=RAN)
        seen = Observation.objects.filter(**lane)
        keys[f"ran_{number}"] = Subquery(ran.order_by("-finished_at", "-pk").values("pk")[:1])
        keys[f"seen_{number}"] = Subquery(seen.order_by("-seen_at", "-pk").values("pk")[:1])
    return keys


def _read(model: Any, services: Sequence[Service], prefix: str) -> dict[int, Any]:
    keys = {
        key
        for service in services
        for name, key in vars(service).items()
        if name.startswith(f"{prefix}_") and key is not None
    }
    rows = model.objects.filter(pk__in=keys)
    if model is Deployment:
        rows = rows.select_related("release__service", "promotion")
    else:
        rows = rows.select_related("artifact__index")
    return {row.pk: row for row in rows}


def _judge(rows: list[Running], digests: dict[int, frozenset[str]], at: datetime) -> None:
    """Marks what drifts and what was not heard of; three queries where anything drifts, else none."""
    drifting = []
    for row in rows:
        seen, ran = row.seen, row.deployment
        if seen is None:
            continue
        if _is_another(seen, ran, digests):
            drifting.append(row)
        row.is_unheard_of = at - seen.seen_at > UNHEARD_OF_AFTER
    if not drifting:
        return
    begins = _begins([row.seen.pk for row in drifting if row.seen])
    releases = _releases_of([row.seen for row in drifting if row.seen])
    for row in drifting:
        if row.seen is not None:
            since = begins.get(row.seen.pk, row.seen.seen_at)
            if row.deployment is not None and row.deployment.finished_at is not None:
                since = max(since, row.deployment.finished_at)
            release = releases.get((row.service.pk, row.seen.digest))
            row.drift = Drift(row.seen.digest, since, release)


def _is_another(
    seen: Observation, ran: Deployment | None, digests: dict[int, frozenset[str]]
) -> bool:
    """Nothing was deployed there, or something else and the sighting is no older than that."""
    if ran is None:
        return True
    if ran.finished_at is None or seen.seen_at < ran.finished_at:
        return False
    own = digests.get(ran.release_id or 0, frozenset()) | frozenset({ran.digest} - {""})
    index = seen.artifact.index.digest if seen.artifact and seen.artifact.index else None
    return bool(own) and not own & {seen.digest, index}


def _begins(keys: Sequence[int]) -> dict[int, datetime]:
    """Since when each of these digests has been seen without another one in between."""
    lane = {name: OuterRef(name) for name in ("service", "environment", "target")}
    other = (
        Observation.objects.filter(**lane, seen_at__lt=OuterRef("seen_at"))
        .exclude(digest=OuterRef("digest"))
        .order_by("-seen_at")
    )
    first = Observation.objects.filter(
        **lane, digest=OuterRef("digest"), seen_at__gt=OuterRef("other_at")
    ).order_by("seen_at")
    rows = (
        Observation.objects.filter(pk__in=keys)
        .annotate(other_at=Coalesce(Subquery(other.values("seen_at")[:1]), Value(LONG_AGO)))
        .annotate(since=Subquery(first.values("seen_at")[:1]))
        .values_list("pk", "since")
    )
    return {key: since for key, since in rows if since is not None}


def _releases_of(sightings: Sequence[Observation]) -> dict[tuple[int, str], Release]:
    """The newest release of the service that holds each digest; a platform's digest is that of its index."""
    digests = {one.digest for one in sightings}
    artifacts = Artifact.objects.filter(Q(digest__in=digests) | Q(platforms__digest__in=digests))
    rows = (
        Release.objects.filter(artifacts__in=artifacts)
        .select_related("service")
        .prefetch_related("artifacts__platforms")
        .order_by("created_at", "pk")
        .distinct()
    )
    found = {}
    for release in rows:
        for artifact in release.artifacts.all():
            for digest in (artifact.digest, *(one.digest for one in artifact.platforms.all())):
                found[release.service_id, digest] = release
    return found
