"""Observations as facts; what was seen again and again is read, and kept once a day."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from metrics.measures.base import DeploymentFact, ObservationFact
from promotion.models import Observation, Service

from .deployments import line_of
from .naming import observation_key

COLUMNS = (
    "pk",
    "service_id",
    "service__slug",
    "environment__slug",
    "target",
    "digest",
    "artifact__name",
    "artifact__index__digest",
    "seen_at",
    "received_at",
)
# Observation coverage looks at the last 24 hours.
LATELY = timedelta(hours=24)
Lane = tuple[str, str, str, str]


def load_observations(
    as_of: datetime,
    zone: str,
    deployments: tuple[DeploymentFact, ...],
    services: Collection[int] | None = None,
) -> tuple[ObservationFact, ...]:
    """The observations received by `as_of`, without those that say the same again.

    One is left out when, on its target, the one before saw the same digest on the same day of
    the reporting `zone` and no deployment of the service there began or ended between the two.
    No measure tells such an observation from the one before it.
    """
    rows = Observation.objects.filter(received_at__lte=as_of)
    if services is not None:
        rows = rows.filter(service__in=services)
    several = frozenset(
        key for key, names in Service.objects.values_list("pk", "artifact_names") if len(names) > 1
    )
    changes = _Changes(deployments)
    local = ZoneInfo(zone)
    before: dict[Lane, tuple[str, datetime, date]] = {}
    facts = []
    for row in rows.order_by("seen_at", "pk").values_list(*COLUMNS).iterator():
        fact = _read_observation(row, several)
        lane = (fact.service, fact.environment, fact.target or "", fact.artifact)
        day = fact.at.astimezone(local).date()
        known = before.get(lane)
        before[lane] = (fact.digest, fact.at, day)
        says_the_same = known is not None and (known[0], known[2]) == (fact.digest, day)
        if (
            known is None
            or not says_the_same
            or fact.at > as_of - LATELY
            or changes.has_between(fact.service, fact.environment, known[1], fact.at)
        ):
            facts.append(fact)
    return tuple(facts)


def _read_observation(row: tuple[Any, ...], several: frozenset[int]) -> ObservationFact:
    key, service_id, service, environment, target, digest, name, index, at, received_at = row
    return ObservationFact(
        id=observation_key(key),
        service=service,
        environment=environment,
        digest=index or digest,
        at=at,
        received_at=received_at,
        target=target or None,
        artifact=line_of(name, service_id in several),
    )


class _Changes:
    """When deployments began or ended, by service and environment; asked in order of time."""

    def __init__(self, deployments: tuple[DeploymentFact, ...]) -> None:
        times: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        for fact in deployments:
            place = times[fact.service, fact.environment]
            place.append(fact.started_at)
            if fact.finished_at is not None:
                place.append(fact.finished_at)
        self._times = {place: sorted(found) for place, found in times.items()}

    def has_between(self, service: str, environment: str, after: datetime, until: datetime) -> bool:
        """Whether anything happened there in [after, until]."""
        found = self._times.get((service, environment), [])
        index = bisect_left(found, after)
        return index < len(found) and found[index] <= until
