"""All facts of one service, as the pure measures give them; writes nothing."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, cast
from zlib import crc32
from zoneinfo import ZoneInfo

from django.conf import settings

from metrics.facts import (
    find_linked,
    load_record,
    read_clocks,
    tracked_since,
)
from metrics.measures.automated_share import find_targets
from metrics.measures.base import Filters
from metrics.measures.build_to_production import BuildToProduction, find_built
from metrics.measures.failures import Failures
from metrics.measures.history import History
from metrics.measures.journeys import Part
from metrics.measures.knowledge import SetAside
from metrics.measures.periods import Period
from metrics.measures.registry import MEASURES
from metrics.measures.results import Question, Row
from metrics.models import (
    AsideFact,
    CohortFact,
    ExecutionFact,
    IncidentFact,
    IntentFact,
    SpanFact,
    TargetFact,
    TraceFact,
)
from promotion.models import Service

from .homeless import compute_homeless, make_aside
from .service_facts import NO_SERVICE, ServiceFacts

ALWAYS = Period(date(1970, 1, 1), date(9000, 1, 1))
HIGHEST_LEVEL = 15


def compute_facts(service_key: int, at: datetime) -> ServiceFacts:
    """The facts of a service as known at `at`; O(n log n) in what is on record of it."""
    if service_key == NO_SERVICE:
        return compute_homeless(at)
    found = ServiceFacts(service_key, at)
    slug = Service.objects.filter(pk=service_key).values_list("slug", flat=True).first()
    if slug is None:
        return found
    group = {service_key, *find_linked(service_key)}
    found.clocks = read_clocks(at, group)
    found.tracked_since = tracked_since([service_key])
    record = load_record(at, services=group)
    history = History(record, at)
    knowledge = history.knowledge
    own: list[Any] = [
        *knowledge.deployments,
        *knowledge.observations,
        *knowledge.builds,
        *knowledge.promotions.values(),
    ]
    aside: list[Any] = [*knowledge.quarantined, *knowledge.unmapped, *knowledge.incidents]
    found.has_mapped = any(fact.service == slug for fact in own)
    found.has_unmapped = any(fact.service == slug for fact in knowledge.unmapped)
    found.has_any = found.has_mapped or any(fact.service == slug for fact in aside)
    found.size = len(record.deployments) + len(record.promotions)
    _Writer(found, history, slug).write()
    return found


class _Writer:
    """Turns the rows of the measures into facts."""

    def __init__(self, found: ServiceFacts, history: History, slug: str) -> None:
        self.found, self.history, self.slug = found, history, slug
        self.zone = ZoneInfo(settings.TIME_ZONE)
        self.results = {
            name: MEASURES[name].compute(
                history, Question(period=ALWAYS, filters=Filters(all_stages=True))
            )
            for name in MEASURES
        }

    def write(self) -> None:
        """All facts of the service."""
        rows = self.found.rows
        rows[ExecutionFact] = list(self._write_executions())
        rows[IntentFact] = list(self._write_intents())
        rows[SpanFact] = list(self._write_spans())
        rows[TraceFact] = list(self._write_traces())
        rows[CohortFact] = list(self._write_cohort())
        rows[IncidentFact] = list(self._write_incidents())
        rows[TargetFact] = list(self._write_targets())
        rows[AsideFact] = list(self._write_aside())

    def _rows(self, name: str) -> Iterator[tuple[Row, dict[str, Any]]]:
        for row in self.results[name].rows:
            if row.service == self.slug:
                yield row, dict(row.details)

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _shared(self, row: Row, kind: Any) -> dict[str, Any]:
        return {
            "service_id": self.found.service_key,
            "environment": row.environment,
            "kind": str(kind),
            "unit": row.unit,
            "digest": row.digest,
            "at": row.at,
            "day": self._day(row.at),
            "started_at": row.started_at,
            "finished_at": row.finished_at,
            "verdict": row.verdict,
            "reason": row.reason,
            "ids": list(row.ids),
        }

    def _write_executions(self) -> Iterator[ExecutionFact]:
        judged = {row.unit: row for row, _ in self._rows("failures")}
        for row, details in self._rows("automated_share"):
            failure = judged.get(row.unit)
            told = dict(failure.details) if failure else {}
            has_failed = failure is not None and failure.good
            is_open = not told.get("recovered")
            yield ExecutionFact(
                **self._shared(row, details["kind"]),
                by=str(details["by"] or ""),
                promotion=str(details["promotion"] or ""),
                is_production=failure is not None,
                mature_at=row.at + self.history.knowledge.watch_of(row.environment),
                has_failed=has_failed,
                failure=failure.reason if failure and has_failed else "",
                findings=[list(each) for each in _pairs(told.get("findings"))],
                recovery_hours=None if failure is None or is_open else failure.hours,
                is_contained=bool(told.get("contained")),
                is_rework=bool(told.get("rework")),
            )

    def _write_intents(self) -> Iterator[IntentFact]:
        for row, details in self._rows("first_pass"):
            ended = row.finished_at
            watch = self.history.knowledge.watch_of(row.environment)
            yield IntentFact(
                **self._shared(row, details["kind"]),
                was_executed=bool(details["executed"]),
                is_good=row.good,
                is_eventual=bool(details["eventual"]),
                attempts=details["attempts"],
                mature_at=None if ended is None else ended + watch,
            )

    def _write_spans(self) -> Iterator[SpanFact]:
        for row, details in self._rows("build_to_production"):
            yield SpanFact(
                **self._shared(row, details["kind"]),
                hours=row.hours or 0.0,
                until_all_hours=details["until_all_hours"],
                parts=[[part.name, part.hours] for part in _parts(details["parts"])],
                level=level_of(row.unit),
            )

    def _write_traces(self) -> Iterator[TraceFact]:
        for row, details in self._rows("traceability"):
            times = [row.at, *row.also_at]
            yield TraceFact(
                **self._shared(row, details["kind"]),
                missing=list(details["missing"]),
                asked=list(details["asked"]),
                was_complete=bool(details["complete_when_deployed"]),
                times=[at.isoformat() for at in times] if len(times) > 1 else [],
                last_at=times[-1],
            )

    def _write_cohort(self) -> Iterator[CohortFact]:
        for built in find_built(self.history):
            if built.service == self.slug:
                yield CohortFact(
                    service_id=self.found.service_key,
                    unit=built.digest,
                    at=built.built_at,
                    day=self._day(built.built_at),
                    deployed_at=built.deployed_at,
                    is_superseded=built.superseded,
                )

    def _write_incidents(self) -> Iterator[IncidentFact]:
        result = cast(Failures, self.results["failures"])
        opened = {fact.id: fact for fact in self.history.knowledge.incidents}
        for outcome, ids in (
            ("alone", result.incidents_without_deployment),
            ("suspected", result.suspected_incidents),
            ("disputed", result.disputed_incidents),
        ):
            for unit in ids:
                if opened[unit].service == self.slug:
                    yield IncidentFact(
                        service_id=self.found.service_key,
                        environment=opened[unit].environment,
                        unit=unit,
                        outcome=outcome,
                        at=opened[unit].opened_at,
                    )

    def _write_targets(self) -> Iterator[TargetFact]:
        for (service, environment, target), last in sorted(
            find_targets(self.history).items(), key=lambda each: each[0]
        ):
            if service == self.slug:
                yield TargetFact(
                    service_id=self.found.service_key,
                    environment=environment,
                    unit=target,
                    last_seen_at=last,
                )

    def _write_aside(self) -> Iterator[AsideFact]:
        knowledge = self.history.knowledge
        restarts = (
            SetAside(run.id, "deployment", run.service, run.environment, run.finished_at)
            for run in self.history.runs
            if run.restart
        )
        for cause, facts in (
            ("restarts", restarts),
            ("dry_runs", knowledge.dry_runs),
            ("quarantined", knowledge.quarantined),
            ("unmapped", knowledge.unmapped),
            ("backfilled", knowledge.backfilled),
        ):
            own = (fact for fact in facts if fact.service == self.slug)
            yield from make_aside(cause, own, self.found.service_key)
        yield from self._write_negative()

    def _write_negative(self) -> Iterator[AsideFact]:
        result = cast(BuildToProduction, self.results["build_to_production"])
        kinds = {run.id: run.kind for run in self.history.runs}
        for fact in result.negative:
            if fact.service == self.slug:
                made = make_aside("negative", [fact], self.found.service_key)
                for each in made:
                    each.environment, each.kind = fact.environment, kinds[fact.id]
                    yield each


def _pairs(found: Any) -> Iterable[Any]:
    return found or ()


def _parts(found: Any) -> Iterable[Part]:
    return (part for part in found if isinstance(part, Part))


def level_of(unit: str) -> int:
    """How often a half of all units can be taken before this one is left out; 0 to 15."""
    number = crc32(unit.encode())
    return min(HIGHEST_LEVEL, (number & -number).bit_length() - 1) if number else HIGHEST_LEVEL
