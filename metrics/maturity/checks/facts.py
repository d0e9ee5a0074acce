"""The plain facts that checks are computed from, of one team with its sub-teams."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from metrics.measures.compliance import Controls
from metrics.measures.history import Digest, History


@dataclass(frozen=True, slots=True)
class PromotionDetail:
    """A promotion that started, with what the measures do not ask of it.

    `steps` are the kinds of the steps that we carried out, `runs` the runs of other tools that
    are named; `verified_by` what compared checksum or signature before it was let in;
    `strategy` how it was rolled out; `has_readiness`: a decision keeps the verdict of the gates it
    was made on; `id` is that of its fact.
    """

    id: str
    number: int
    service: str
    environment: str
    version: str
    kind: str
    state: str
    mechanism: str
    started_at: datetime
    ended_at: datetime | None = None
    steps: frozenset[str] = frozenset()
    runs: tuple[str, ...] = ()
    verified_by: tuple[str, ...] = ()
    controls: Controls = field(default_factory=lambda: Controls(()))
    has_cause: bool = False
    has_action: bool = False
    strategy: str = ""
    asks_for_risk: bool = False
    has_readiness: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseDetail:
    """A release: one set of digests of a version, made at a time."""

    service: str
    version: str
    digests: frozenset[str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ArtifactDetail:
    """An artifact of a service and which of the required metadata it lacks."""

    digest: str
    name: str
    service: str
    version: str
    first_seen_at: datetime
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TagMove:
    """A version's tag was seen at another digest before."""

    service: str
    version: str
    repository: str


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """All that the checks of a team read, known at `history.as_of`; a Mapping by fact id or digest.

    `services` are the team's, with those of its sub-teams. `runs` and `events` go by the id of a
    deployment or observation. `stored_since`: when a digest was first seen in a repository.
    `excused` holds, by statement, the keys of counterexamples with an accepted exception.
    """

    team: str
    zone: str
    history: History
    services: frozenset[str]
    promotions: tuple[PromotionDetail, ...] = ()
    releases: tuple[ReleaseDetail, ...] = ()
    artifacts: tuple[ArtifactDetail, ...] = ()
    tag_moves: tuple[TagMove, ...] = ()
    versions: Mapping[Digest, str] = field(default_factory=dict)
    runs: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)
    strategies: Mapping[str, str] = field(default_factory=dict)
    stored_since: Mapping[str, datetime] = field(default_factory=dict)
    viewed_at: datetime | None = None
    has_target: bool = False
    throughput_target: float | None = None
    known_since: datetime | None = None
    excused: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """The time they are known at."""
        return self.history.as_of
