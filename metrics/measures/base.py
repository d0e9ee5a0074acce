"""The facts that measures are computed from: plain values, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

END_OF_TIME = datetime.max.replace(tzinfo=UTC)
PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class TeamFact:
    """A team and the team above it."""

    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentFact:
    """An environment, its tier, its targets and its watch window in hours."""

    name: str
    tier: str
    targets: tuple[str, ...] = ()
    watch_hours: float = 24.0


@dataclass(frozen=True, slots=True)
class StageFact:
    """What a pipeline asks for before a digest may run in one environment."""

    environment: str
    upstream: tuple[str, ...] = ()
    signature: bool = False
    provenance: bool = False
    approvals: int = 0


@dataclass(frozen=True, slots=True)
class PipelineFact:
    """One version of a service's stages, in force from `valid_from` (None: always was)."""

    stages: tuple[StageFact, ...]
    valid_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServiceFact:
    """A service, its team, and its pipeline's versions, oldest first."""

    name: str
    team: str
    pipelines: tuple[PipelineFact, ...] = ()

    def pipeline_at(self, at: datetime) -> PipelineFact | None:
        """The version in force at `at`; before the first version, the first."""
        found = self.pipelines[0] if self.pipelines else None
        for pipeline in self.pipelines:
            if pipeline.valid_from is None or pipeline.valid_from <= at:
                found = pipeline
        return found

    def stage_at(self, environment: str, at: datetime) -> StageFact:
        """The stage of `environment` at `at`; outside the pipeline nothing is asked for."""
        pipeline = self.pipeline_at(at)
        for stage in pipeline.stages if pipeline else ():
            if stage.environment == environment:
                return stage
        return StageFact(environment)


@dataclass(frozen=True, slots=True)
class ReleaseFact:
    """A release of several artifacts; a digest that is in none is a release by itself."""

    id: str
    service: str
    digests: frozenset[str]
    version: str = ""


@dataclass(frozen=True, slots=True)
class BuildFact:
    """A finished build of one digest."""

    id: str
    service: str
    digest: str
    finished_at: datetime
    received_at: datetime
    commit: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class EvidenceFact:
    """A statement about a digest: type is signature or provenance."""

    digest: str
    type: str
    verified: bool
    received_at: datetime
    id: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalFact:
    """One person's approval of a promotion."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PromotionFact:
    """A request to bring a digest (of a release) into the environment `to`.

    `mechanism` is automated, manual or None (it does not say). `digests` names all
    digests of a release of several artifacts. What lies after the as-of is blanked out
    when the record is read, so `received_at` may be the time of asking.
    """

    id: str
    service: str
    digest: str
    to: str
    asked_at: datetime
    received_at: datetime
    state: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    kind: str = "normal"
    mechanism: str | None = None
    retried_by_person: bool = False
    approvals: tuple[ApprovalFact, ...] = ()
    release: str | None = None
    digests: frozenset[str] = frozenset()

    def covers(self, digest: str) -> bool:
        """Whether this promotion brings that digest."""
        return digest == self.digest or digest in self.digests


@dataclass(frozen=True, slots=True)
class DeploymentFact:
    """A deployment as reported. Without `finished_at` it is still under way.

    `result` is succeeded, failed or cancelled; `kind` None means that of its promotion.
    """

    id: str
    service: str
    environment: str
    digest: str
    started_at: datetime
    received_at: datetime
    finished_at: datetime | None = None
    result: str | None = None
    target: str | None = None
    promotion: str | None = None
    mechanism: str | None = None
    kind: str | None = None
    planned: bool = False
    config_digest: str | None = None
    artifact: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ObservationFact:
    """A digest that was seen running on a target at a time."""

    id: str
    service: str
    environment: str
    digest: str
    at: datetime
    received_at: datetime
    target: str | None = None
    artifact: str = ""


@dataclass(frozen=True, slots=True)
class IncidentFact:
    """An incident; `severe`: at or above the severity set for its sender.

    `deployment`, `promotion`, `digest` and `release` are ids that the sender named.
    `confirmed` is a person's word that it counts, `linked_by_person` the deployment a
    person chose, `disputed` a person's word that no deployment is to blame.
    """

    id: str
    service: str
    environment: str
    opened_at: datetime
    received_at: datetime
    resolved_at: datetime | None = None
    deployment: str | None = None
    promotion: str | None = None
    digest: str | None = None
    release: str | None = None
    severe: bool = True
    confirmed: bool = False
    disputed: bool = False
    linked_by_person: str | None = None


@dataclass(frozen=True, slots=True)
class CorrectionFact:
    """A fact voided from `at` on; what supersedes it is a fact of its own.

    `kind` (build, evidence, promotion, deployment, observation, incident) narrows the
    correction where ids are unique within a kind only; None means any kind.
    """

    voids: str
    at: datetime
    by: str
    why: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """All facts there are, in no particular order.

    `platforms` maps a platform's digest to the index it belongs to.
    """

    environments: tuple[EnvironmentFact, ...] = ()
    services: tuple[ServiceFact, ...] = ()
    teams: tuple[TeamFact, ...] = ()
    releases: tuple[ReleaseFact, ...] = ()
    builds: tuple[BuildFact, ...] = ()
    evidence: tuple[EvidenceFact, ...] = ()
    promotions: tuple[PromotionFact, ...] = ()
    deployments: tuple[DeploymentFact, ...] = ()
    observations: tuple[ObservationFact, ...] = ()
    incidents: tuple[IncidentFact, ...] = ()
    corrections: tuple[CorrectionFact, ...] = ()
    platforms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a figure is narrowed to; None means not narrowed.

    `team` includes its sub-teams. `all_stages` widens measure 1 from production to all
    stages after the first. `kind` is normal, hotfix or rollback.
    """

    team: str | None = None
    service: str | None = None
    environment: str | None = None
    tier: str | None = None
    kind: str | None = None
    all_stages: bool = False
