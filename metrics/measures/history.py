"""All that the measures read, made once from a record as of a time."""

from bisect import bisect_right
from collections import defaultdict
from datetime import datetime
from functools import cached_property

from metrics.measures.base import (
    END_OF_TIME,
    PRODUCTION,
    BuildFact,
    EvidenceFact,
    Filters,
    Record,
)
from metrics.measures.executions import fold_executions
from metrics.measures.judgement import Judgement, judge
from metrics.measures.knowledge import Knowledge, SetAside, know
from metrics.measures.periods import Span
from metrics.measures.results import Beside
from metrics.measures.runs import read_runs
from metrics.measures.targets import Run

Digest = tuple[str, str]


class Scope:
    """Filters made ready: the teams below a team are looked up once."""

    def __init__(self, knowledge: Knowledge, filters: Filters) -> None:
        self._filters = filters
        self._environments = knowledge.environments
        self._services = {
            name
            for name, service in knowledge.services.items()
            if filters.service in (None, name)
            and (filters.team is None or _is_within(service.team, filters.team, knowledge))
        }
        self._is_narrowed = filters.team is not None or filters.service is not None

    def holds_service(self, service: str) -> bool:
        """Whether a service is asked for; an unknown one only where nothing is narrowed."""
        return service in self._services or not self._is_narrowed

    def holds(self, service: str, environment: str, kind: str | None = None) -> bool:
        """Whether a unit of this service, environment and kind is asked for."""
        filters = self._filters
        if not self.holds_service(service) or filters.environment not in (
            None,
            environment,
        ):
            return False
        if kind is not None and filters.kind not in (None, kind):
            return False
        return filters.tier in (None, self._environments[environment].tier)


def _is_within(team: str, wanted: str, knowledge: Knowledge) -> bool:
    visited: set[str] = set()
    current: str | None = team
    while current is not None and current not in visited:
        if current == wanted:
            return True
        visited.add(current)
        current = knowledge.parents.get(current)
    return False


class History:
    """Knowledge, runs, executions and their judgement, indexed for the measures."""

    def __init__(self, record: Record, as_of: datetime = END_OF_TIME) -> None:
        self.as_of = as_of
        self.knowledge = know(record, as_of)
        self.runs, self.marks = read_runs(self.knowledge)
        self.executions = fold_executions(self.runs)

    @cached_property
    def judgement(self) -> Judgement:
        """Which executions failed, and why."""
        return judge(self.knowledge, self.executions, self.marks)

    @cached_property
    def builds_of(self) -> dict[Digest, list[BuildFact]]:
        """The builds of each (service, digest), earliest first."""
        found: dict[Digest, list[BuildFact]] = defaultdict(list)
        for build in self.knowledge.builds:
            found[build.service, build.digest].append(build)
        for builds in found.values():
            builds.sort(key=lambda build: (build.finished_at, build.id))
        return dict(found)

    @cached_property
    def verified(self) -> dict[tuple[str, str], list[EvidenceFact]]:
        """The verified statements about each (digest, type)."""
        found: dict[tuple[str, str], list[EvidenceFact]] = defaultdict(list)
        for evidence in self.knowledge.evidence:
            if evidence.verified:
                found[evidence.digest, evidence.type].append(evidence)
        return dict(found)

    @cached_property
    def successes(self) -> dict[tuple[str, str, str], list[Run]]:
        """Successful runs of each (service, environment, digest), in order of finish."""
        found: dict[tuple[str, str, str], list[Run]] = defaultdict(list)
        for run in self.runs:
            if run.succeeded and not run.starting:
                found[run.service, run.environment, run.digest].append(run)
        for runs in found.values():
            runs.sort(key=lambda run: (run.finished_at, run.started_at, run.id))
        return dict(found)

    @cached_property
    def first_in_production(self) -> dict[Digest, Run]:
        """The first successful production run of each (service, digest), restarts left out."""
        first: dict[Digest, Run] = {}
        for (service, environment, digest), runs in self.successes.items():
            if not self.is_production(environment):
                continue
            found = next((run for run in runs if not run.restart), None)
            known = first.get((service, digest))
            if found and (known is None or _before(found, known)):
                first[service, digest] = found
        return first

    def is_production(self, environment: str) -> bool:
        """Whether an environment is of the production tier."""
        return self.knowledge.environments[environment].tier == PRODUCTION

    def missing_upstream(
        self,
        service: str,
        environment: str,
        digest: str,
        at: datetime,
        known_by: datetime,
    ) -> tuple[str, ...]:
        """The required upstream environments where no success of the digest ended by `at`.

        Only successes received by `known_by` count.
        """
        stage = self.knowledge.services[service].stage_at(environment, at)
        return tuple(
            name
            for name in stage.upstream
            if not self._succeeded_by(service, name, digest, at, known_by)
        )

    def _succeeded_by(
        self,
        service: str,
        environment: str,
        digest: str,
        at: datetime,
        known_by: datetime,
    ) -> bool:
        runs = self.successes.get((service, environment, digest), [])
        ended = bisect_right(runs, at, key=lambda run: run.finished_at)
        if known_by >= self.as_of:
            return ended > 0
        return any(run.received_at <= known_by for run in runs[:ended])

    def beside(self, span: Span, scope: Scope, extra: tuple[SetAside, ...] = ()) -> Beside:
        """What ended in the span and is counted beside."""

        def ids(facts: tuple[SetAside, ...]) -> tuple[str, ...]:
            return tuple(
                sorted(
                    {
                        fact.id
                        for fact in facts
                        if span.holds(fact.at) and scope.holds_service(fact.service)
                    }
                )
            )

        restarts = (
            SetAside(run.id, "deployment", run.service, run.environment, run.finished_at)
            for run in self.runs
            if run.restart
        )
        return Beside(
            restarts=ids(tuple(restarts)),
            dry_runs=ids(self.knowledge.dry_runs),
            quarantined=ids((*self.knowledge.quarantined, *extra)),
            unmapped=ids(self.knowledge.unmapped),
            backfilled=ids(self.knowledge.backfilled),
        )


def _before(one: Run, other: Run) -> bool:
    return (one.finished_at, one.started_at, one.id) < (
        other.finished_at,
        other.started_at,
        other.id,
    )
