"""Which executions failed: rollbacks, hotfixes, incidents, production left degraded."""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from metrics.measures.base import IncidentFact
from metrics.measures.executions import Execution
from metrics.measures.knowledge import Knowledge
from metrics.measures.targets import Mark

EXPLICIT, INFERRED, CONFIRMED, DISPUTED = (
    "explicit",
    "inferred",
    "confirmed",
    "disputed",
)
ENDED_BADLY = frozenset(("failed", "errored"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence that an execution failed.

    `kind` is rollback, hotfix, roll_forward, incident or degraded; `at` when the remedy
    finished or the incident opened; `by` the id of the remedy, incident or promotion.
    """

    kind: str
    at: datetime
    by: str
    how: str
    remedy: Execution | None = None
    incident: IncidentFact | None = None


@dataclass(frozen=True, slots=True)
class LinkedIncident:
    """An incident, the execution it is linked to (or None), and how sure that is.

    `counts` is false for a suspected incident (below its sender's severity, and not
    confirmed by a person) and for a disputed one.
    """

    incident: IncidentFact
    execution: Execution | None
    confidence: str | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """The findings about each execution, by its id and kind, and every incident's link."""

    findings: dict[int, list[Finding]]
    incidents: tuple[LinkedIncident, ...]
    unplanned: frozenset[int] = field(default_factory=frozenset)

    def findings_on(self, execution: Execution) -> list[Finding]:
        """What says that this execution failed, earliest first."""
        return self.findings.get(id(execution), [])


class _Linker:
    """Finds the execution an incident belongs to."""

    def __init__(self, knowledge: Knowledge, executions: tuple[Execution, ...]) -> None:
        self.knowledge = knowledge
        self.by_run: dict[str, Execution] = {}
        self.by_promotion: dict[str, Execution] = {}
        self.by_place: dict[tuple[str, str], list[Execution]] = defaultdict(list)
        self.by_digest: dict[tuple[str, str], list[Execution]] = defaultdict(list)
        for execution in executions:
            if execution.promotion:
                self.by_promotion[execution.promotion.id] = execution
            self.by_place[execution.service, execution.environment].append(execution)
            self.by_digest[execution.service, execution.digest].append(execution)
            for run in execution.runs:
                if run.observed:
                    self.by_run.setdefault(run.id, execution)
                else:
                    self.by_run[run.id] = execution

    def link(self, incident: IncidentFact) -> LinkedIncident:
        """The first that applies: an explicit id, the watch window, a person."""
        execution = self._find_named(incident)
        confidence: str | None = EXPLICIT
        if execution is None:
            execution, confidence = self._find_watched(incident), INFERRED
            if execution is not None and not (incident.severe or incident.confirmed):
                return LinkedIncident(incident, execution, INFERRED, counts=False)
        if execution is None and incident.linked_by_person:
            execution = self.by_run.get(incident.linked_by_person)
            confidence = CONFIRMED
        if incident.disputed:
            return LinkedIncident(incident, execution, DISPUTED, counts=False)
        if execution is None:
            return LinkedIncident(incident, None, None, incident.severe or incident.confirmed)
        if incident.confirmed:
            confidence = CONFIRMED
        counts = incident.severe or confidence == CONFIRMED
        return LinkedIncident(incident, execution, confidence, counts)

    def _find_named(self, incident: IncidentFact) -> Execution | None:
        if incident.deployment and incident.deployment in self.by_run:
            return self.by_run[incident.deployment]
        if incident.promotion and incident.promotion in self.by_promotion:
            return self.by_promotion[incident.promotion]
        digests = [incident.digest] if incident.digest else []
        if incident.release:
            digests += sorted(self.knowledge.digests_for(incident.service, incident.release))
        there = [
            execution
            for digest in digests
            for execution in self.by_digest.get((incident.service, digest), [])
            if execution.environment == incident.environment
        ]
        before = [each for each in there if each.finished_at < incident.opened_at]
        return before[-1] if before else (there[0] if there else None)

    def _find_watched(self, incident: IncidentFact) -> Execution | None:
        there = self.by_place.get((incident.service, incident.environment), [])
        index = bisect_left(there, incident.opened_at, key=lambda each: each.finished_at) - 1
        if index < 0:
            return None
        latest = there[index]
        watched_until = latest.finished_at + self.knowledge.watch_of(latest.environment)
        return latest if incident.opened_at <= watched_until else None


def _was_degraded(execution: Execution) -> bool:
    promotion = execution.promotion
    ended_badly = promotion is not None and promotion.state in ENDED_BADLY
    return ended_badly and bool(execution.reached)


def judge(knowledge: Knowledge, executions: tuple[Execution, ...], marks: list[Mark]) -> Judgement:
    """All findings about all executions; several about one remain one failure."""
    of_run = {id(run): execution for execution in executions for run in execution.runs}
    findings: dict[int, list[Finding]] = defaultdict(list)
    unplanned: set[int] = set()
    for mark in marks:
        failed, remedy = of_run.get(id(mark.failed)), of_run[id(mark.by)]
        unplanned.add(id(remedy))
        if failed is None:
            continue  # a starting point: seen running, and deployed by nobody we know of
        finding = Finding(mark.kind, remedy.finished_at, remedy.id, mark.how, remedy=remedy)
        if finding not in findings[id(failed)]:
            findings[id(failed)].append(finding)
    linker = _Linker(knowledge, executions)
    linked = tuple(linker.link(incident) for incident in knowledge.incidents)
    for link in linked:
        if link.execution is not None and link.counts and link.confidence:
            incident = link.incident
            findings[id(link.execution)].append(
                Finding(
                    "incident",
                    incident.opened_at,
                    incident.id,
                    link.confidence,
                    incident=incident,
                )
            )
    for execution in executions:
        promotion = execution.promotion
        if promotion is not None and _was_degraded(execution):
            at = promotion.ended_at or execution.finished_at
            findings[id(execution)].append(Finding("degraded", at, promotion.id, "reported"))
    for found in findings.values():
        found.sort(key=lambda finding: (finding.at, finding.kind, finding.by))
    return Judgement(dict(findings), linked, frozenset(unplanned))
