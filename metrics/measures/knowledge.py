"""What was known by a time: received, not voided, possible, and of a known place."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from metrics.measures.base import (
    BuildFact,
    DeploymentFact,
    EnvironmentFact,
    EvidenceFact,
    IncidentFact,
    ObservationFact,
    PromotionFact,
    Record,
    ServiceFact,
)

LATE_AFTER = timedelta(hours=24)


class _Received(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def received_at(self) -> datetime: ...


Fact = TypeVar("Fact", bound=_Received)


@dataclass(frozen=True, slots=True)
class SetAside:
    """A fact that is counted beside the measures: its id, kind, place and end."""

    id: str
    kind: str
    service: str
    environment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The facts that count as of a time, and those set aside with the reason."""

    as_of: datetime
    environments: dict[str, EnvironmentFact]
    services: dict[str, ServiceFact]
    parents: dict[str, str | None]
    release_of: dict[tuple[str, str], str]
    digests_of: dict[tuple[str, str], frozenset[str]]
    builds: tuple[BuildFact, ...]
    evidence: tuple[EvidenceFact, ...]
    promotions: dict[str, PromotionFact]
    deployments: tuple[DeploymentFact, ...]
    observations: tuple[ObservationFact, ...]
    incidents: tuple[IncidentFact, ...]
    quarantined: tuple[SetAside, ...]
    unmapped: tuple[SetAside, ...]
    backfilled: tuple[SetAside, ...]
    dry_runs: tuple[SetAside, ...]

    @property
    def has_mapped(self) -> bool:
        """Whether any fact is of a known service and environment."""
        return bool(self.builds or self.promotions or self.deployments or self.observations)

    @property
    def has_unmapped(self) -> bool:
        """Whether any fact is of an unknown service or environment."""
        return bool(self.unmapped)

    @property
    def is_empty(self) -> bool:
        """Whether nothing had been received at all."""
        return not (self.has_mapped or self.unmapped or self.quarantined or self.incidents)

    def watch_of(self, environment: str) -> timedelta:
        """The watch window W of an environment."""
        return timedelta(hours=self.environments[environment].watch_hours)

    def is_mature(self, environment: str, finished_at: datetime) -> bool:
        """Whether finished + W ≤ as_of."""
        return finished_at <= self.as_of - self.watch_of(environment)

    def release_for(self, service: str, digest: str) -> str:
        """The release a digest belongs to: the digest itself, unless one was made of it."""
        return self.release_of.get((service, digest), digest)

    def digests_for(self, service: str, release: str) -> frozenset[str]:
        """All digests of a release."""
        return self.digests_of.get((service, release), frozenset((release,)))


class _Sieve:
    """Sorts facts into those that count and those set aside."""

    def __init__(self, record: Record, as_of: datetime) -> None:
        self.as_of = as_of
        self.environments = {fact.name: fact for fact in record.environments}
        self.services = {fact.name: fact for fact in record.services}
        self.platforms = record.platforms
        self.quarantined: list[SetAside] = []
        self.unmapped: list[SetAside] = []
        self.backfilled: list[SetAside] = []
        self.dry_runs: list[SetAside] = []
        self._voided: dict[str, set[str | None]] = defaultdict(set)
        for correction in record.corrections:
            if correction.at <= as_of:
                self._voided[correction.voids].add(correction.kind)

    def known(self, facts: Iterable[Fact], kind: str) -> list[Fact]:
        """Those received by as_of and not voided by then."""
        kept = []
        for fact in facts:
            if fact.received_at > self.as_of:
                continue
            kinds = self._voided.get(fact.id) if fact.id else None
            if kinds and (None in kinds or kind in kinds):
                continue
            kept.append(fact)
        return kept

    def admits(self, aside: SetAside, starts_at: datetime | None, ends_at: datetime | None) -> bool:
        """Whether a fact counts; if not, it is set aside."""
        if starts_at is not None and ends_at is not None and ends_at < starts_at:
            self.quarantined.append(aside)
            return False
        no_place = aside.kind != "build" and aside.environment not in self.environments
        if aside.service not in self.services or no_place:
            self.unmapped.append(aside)
            return False
        return True

    def note_late(self, aside: SetAside, received_at: datetime) -> None:
        """Counts what came more than a day after it happened."""
        if received_at - aside.at > LATE_AFTER:
            self.backfilled.append(aside)

    def index_digest(self, digest: str) -> str:
        """The index a platform's digest belongs to, else the digest."""
        return self.platforms.get(digest, digest)


def _blank_future(promotion: PromotionFact, as_of: datetime) -> PromotionFact:
    """The promotion as it stood at as_of."""
    started = promotion.started_at
    ended = promotion.ended_at
    started_later = started is not None and started > as_of
    ended_later = ended is not None and ended > as_of
    approvals = tuple(each for each in promotion.approvals if each.at <= as_of)
    if not (started_later or ended_later or len(approvals) != len(promotion.approvals)):
        return promotion
    started = None if started_later else started
    state = promotion.state
    if ended_later or started_later:
        state = "waiting" if started is None else "running"
    return replace(
        promotion,
        started_at=started,
        ended_at=None if ended_later else ended,
        state=state,
        approvals=approvals,
    )


def _sift_promotions(sieve: _Sieve, record: Record) -> dict[str, PromotionFact]:
    kept: dict[str, PromotionFact] = {}
    for raw in sieve.known(record.promotions, "promotion"):
        fact = _blank_future(raw, sieve.as_of)
        at = fact.ended_at or fact.started_at or fact.asked_at
        aside = SetAside(fact.id, "promotion", fact.service, fact.to, at)
        if sieve.admits(aside, raw.started_at, fact.ended_at):
            digest = sieve.index_digest(fact.digest)
            kept[fact.id] = fact if digest == fact.digest else replace(fact, digest=digest)
    return kept


def _sift_deployments(sieve: _Sieve, record: Record) -> tuple[DeploymentFact, ...]:
    kept = []
    for fact in sieve.known(record.deployments, "deployment"):
        at = fact.finished_at or fact.started_at
        aside = SetAside(fact.id, "deployment", fact.service, fact.environment, at)
        if not sieve.admits(aside, fact.started_at, fact.finished_at):
            continue
        if fact.dry_run:
            sieve.dry_runs.append(aside)
            continue
        sieve.note_late(aside, fact.received_at)
        digest = sieve.index_digest(fact.digest)
        kept.append(fact if digest == fact.digest else replace(fact, digest=digest))
    return tuple(kept)


def _sift_observations(sieve: _Sieve, record: Record) -> tuple[ObservationFact, ...]:
    kept = []
    for fact in sieve.known(record.observations, "observation"):
        aside = SetAside(fact.id, "observation", fact.service, fact.environment, fact.at)
        if sieve.admits(aside, None, fact.at):
            sieve.note_late(aside, fact.received_at)
            digest = sieve.index_digest(fact.digest)
            kept.append(fact if digest == fact.digest else replace(fact, digest=digest))
    return tuple(kept)


def _sift_incidents(sieve: _Sieve, record: Record) -> tuple[IncidentFact, ...]:
    kept = []
    for raw in sieve.known(record.incidents, "incident"):
        still_open = raw.resolved_at is not None and raw.resolved_at > sieve.as_of
        fact = replace(raw, resolved_at=None) if still_open else raw
        at = fact.resolved_at or fact.opened_at
        aside = SetAside(fact.id, "incident", fact.service, fact.environment, at)
        if sieve.admits(aside, fact.opened_at, fact.resolved_at):
            kept.append(fact)
    return tuple(kept)


def _sift_builds(sieve: _Sieve, record: Record) -> tuple[BuildFact, ...]:
    kept = []
    for fact in sieve.known(record.builds, "build"):
        aside = SetAside(fact.id, "build", fact.service, "", fact.finished_at)
        if sieve.admits(aside, None, fact.finished_at):
            sieve.note_late(aside, fact.received_at)
            digest = sieve.index_digest(fact.digest)
            kept.append(fact if digest == fact.digest else replace(fact, digest=digest))
    return tuple(kept)


def know(record: Record, as_of: datetime) -> Knowledge:
    """What the record said at `as_of` (an aware time; a time equal to it counts).

    Left out are facts received later and facts voided by then; set aside and counted are
    facts that finish before they start and facts of an unknown service or environment.
    """
    sieve = _Sieve(record, as_of)
    several = [release for release in record.releases if len(release.digests) > 1]
    return Knowledge(
        as_of=as_of,
        environments=sieve.environments,
        services=sieve.services,
        parents={team.name: team.parent for team in record.teams},
        release_of={(each.service, digest): each.id for each in several for digest in each.digests},
        digests_of={(each.service, each.id): each.digests for each in several},
        builds=_sift_builds(sieve, record),
        evidence=tuple(sieve.known(record.evidence, "evidence")),
        promotions=_sift_promotions(sieve, record),
        deployments=_sift_deployments(sieve, record),
        observations=_sift_observations(sieve, record),
        incidents=_sift_incidents(sieve, record),
        quarantined=tuple(sieve.quarantined),
        unmapped=tuple(sieve.unmapped),
        backfilled=tuple(sieve.backfilled),
        dry_runs=tuple(sieve.dry_runs),
    )
