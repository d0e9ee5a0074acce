"""Small records for the measures, written as a story in hours since the first of June."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from metrics.measures.base import (
    END_OF_TIME,
    BuildFact,
    CorrectionFact,
    DeploymentFact,
    EnvironmentFact,
    EvidenceFact,
    Filters,
    IncidentFact,
    ObservationFact,
    PipelineFact,
    PromotionFact,
    Record,
    ReleaseFact,
    ServiceFact,
    StageFact,
    TeamFact,
)
from metrics.measures.periods import Period
from metrics.measures.registry import compute_all
from metrics.measures.results import Result

JUNE = datetime(2025, 6, 1, tzinfo=UTC)


def hour(hours: float) -> datetime:
    """The time so many hours into June 2025."""
    return JUNE + timedelta(hours=hours)


@dataclass
class Story:
    """Collects facts about the services checkout and search; times are hours."""

    targets: tuple[str, ...] = ()
    stage: StageFact = field(default_factory=lambda: StageFact("prod", ("staging",)))
    facts: dict[str, list[Any]] = field(default_factory=dict)
    teams: tuple[TeamFact, ...] = (TeamFact("payments"), TeamFact("cards", "payments"))
    releases: tuple[ReleaseFact, ...] = ()
    platforms: dict[str, str] = field(default_factory=dict)

    def _add(self, name: str, fact: Any) -> None:
        self.facts.setdefault(name, []).append(fact)

    def build(self, digest: str, at: float, **more: Any) -> None:
        """A build of checkout that finished."""
        values = {"service": "checkout", "commit": "c0ffee", "received_at": hour(at), **more}
        self._add(
            "builds",
            BuildFact(f"b-{digest}-{at}", values.pop("service"), digest, hour(at), **values),
        )

    def promote(
        self,
        id: str,
        digest: str,
        asked: float,
        started: float | None = None,
        ended: float | None = None,
        state: str = "succeeded",
        **more: Any,
    ) -> None:
        """A promotion of checkout, to prod unless said otherwise."""
        values = {
            "service": "checkout",
            "to": "prod",
            "mechanism": "automated",
            "received_at": hour(asked),
            **more,
        }
        self._add(
            "promotions",
            PromotionFact(
                id=id,
                digest=digest,
                asked_at=hour(asked),
                state=state,
                started_at=None if started is None else hour(started),
                ended_at=None if ended is None else hour(ended),
                **values,
            ),
        )

    def deploy(self, id: str, digest: str, at: float, took: float = 0.5, **more: Any) -> None:
        """A deployment of checkout, finished `took` hours after `at`; to prod by default."""
        values = {
            "service": "checkout",
            "environment": "prod",
            "result": "succeeded",
            "finished_at": hour(at + took),
            "received_at": hour(at + took),
            **more,
        }
        self._add(
            "deployments", DeploymentFact(id=id, digest=digest, started_at=hour(at), **values)
        )

    def observe(self, id: str, digest: str, at: float, **more: Any) -> None:
        """Checkout seen running; in prod by default."""
        values = {"service": "checkout", "environment": "prod", "received_at": hour(at), **more}
        self._add("observations", ObservationFact(id=id, digest=digest, at=hour(at), **values))

    def incident(self, id: str, at: float, resolved: float | None = None, **more: Any) -> None:
        """An incident of checkout in prod."""
        values = {"service": "checkout", "environment": "prod", **more}
        self._add(
            "incidents",
            IncidentFact(
                id=id,
                opened_at=hour(at),
                received_at=hour(at),
                resolved_at=None if resolved is None else hour(resolved),
                **values,
            ),
        )

    def prove(self, digest: str, type: str, at: float, verified: bool = True) -> None:
        """A statement about a digest."""
        self._add("evidence", EvidenceFact(digest, type, verified, hour(at)))

    def void(self, id: str, at: float, kind: str | None = None) -> None:
        """A fact voided by a person."""
        self._add("corrections", CorrectionFact(id, hour(at), "auditor", "sent twice", kind))

    def record(self) -> Record:
        """All that was told."""
        stages = (StageFact("staging"), self.stage)
        return Record(
            environments=(
                EnvironmentFact("staging", "staging"),
                EnvironmentFact("prod", "production", self.targets),
            ),
            services=(
                ServiceFact("checkout", "payments", (PipelineFact(stages),)),
                ServiceFact("search", "cards", (PipelineFact(stages),)),
            ),
            teams=self.teams,
            releases=self.releases,
            platforms=self.platforms,
            **{name: tuple(facts) for name, facts in self.facts.items()},
        )

    def ask(self, as_of: float | None = None, days: int = 30, **filters: Any) -> dict[str, Any]:
        """The five figures of June, or of its first days."""
        period = Period(date(2025, 6, 1), date(2025, 6, 1) + timedelta(days=days))
        until = END_OF_TIME if as_of is None else hour(as_of)
        results: dict[str, Result] = compute_all(self.record(), period, Filters(**filters), until)
        return results


@pytest.fixture
def story() -> Story:
    """A new story with one production target."""
    return Story()


@pytest.fixture
def two_targets() -> Story:
    """A new story in which prod has the targets eu and us."""
    return Story(targets=("eu", "us"))
