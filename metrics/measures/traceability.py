"""Measure 4: releases in production whose every link, source to environment, is known."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from metrics.measures.base import END_OF_TIME, BuildFact, ObservationFact
from metrics.measures.executions import Execution
from metrics.measures.history import Digest, History, Scope
from metrics.measures.periods import Span, span_of
from metrics.measures.results import (
    Bucket,
    Question,
    Result,
    Row,
    build_series,
    state_shared,
    summarise_share,
)
from metrics.measures.targets import Run

NAME = "traceability"
LINKS = (
    "commit",
    "build",
    "signature",
    "provenance",
    "upstream",
    "approval",
    "deployment",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCoverage:
    """Of the releases that need a link, how many have it."""

    link: str
    have: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traceability(Result):
    """Measure 4 with what is missing; `complete_when_deployed` is the strict numerator."""

    missing: dict[str, int]
    coverage: tuple[LinkCoverage, ...]
    complete_when_deployed: int


@dataclass(frozen=True, slots=True)
class _Base:
    """What the links of a digest are tested on: its first production run, or first sight."""

    service: str
    environment: str
    digest: str
    started_at: datetime
    finished_at: datetime
    unit: str
    run: Run | None


def _test_build_links(builds: list[BuildFact], known_by: datetime) -> dict[str, bool]:
    known = [build for build in builds if build.received_at <= known_by]
    return {"commit": any(build.commit for build in known), "build": bool(known)}


def _is_approved(base: _Base, needed: int) -> bool:
    promotion = base.run.promotion if base.run else None
    if promotion is None:
        return False
    before = promotion.started_at or base.started_at
    return len({each.by for each in promotion.approvals if each.at <= before}) >= needed


def _test_links(
    history: History, base: _Base, reported: set[Digest], known_by: datetime
) -> dict[str, bool]:
    """Whether each link that is asked for is there, by what was received by `known_by`."""
    service = history.knowledge.services[base.service]
    stage = service.stage_at(base.environment, base.started_at)
    key = (base.service, base.digest)
    links = _test_build_links(history.builds_of.get(key, []), known_by)
    for link, asked in (
        ("signature", stage.signature),
        ("provenance", stage.provenance),
    ):
        if asked:
            statements = history.verified.get((base.digest, link), [])
            links[link] = any(each.received_at <= known_by for each in statements)
    links["upstream"] = not history.missing_upstream(
        base.service, base.environment, base.digest, base.started_at, known_by
    )
    if stage.approvals:
        links["approval"] = _is_approved(base, stage.approvals)
    links["deployment"] = key in reported
    return links


def _find_unknown(history: History) -> dict[Digest, list[ObservationFact]]:
    """The observations in production of digests that no build of the service has."""
    found: dict[Digest, list[ObservationFact]] = defaultdict(list)
    for fact in history.knowledge.observations:
        key = (fact.service, fact.digest)
        if history.is_production(fact.environment) and key not in history.builds_of:
            found[key].append(fact)
    for facts in found.values():
        facts.sort(key=lambda fact: (fact.at, fact.id))
    return found


def _base_of_run(run: Run) -> _Base:
    return _Base(
        run.service,
        run.environment,
        run.digest,
        run.started_at,
        run.finished_at,
        run.id,
        run,
    )


def _find_base(
    history: History, key: Digest, seen: list[ObservationFact], reported: set[Digest]
) -> _Base:
    """The first successful production deployment; of what was only seen, its first sight."""
    run = history.first_in_production.get(key)
    if run is not None and (not run.observed or not seen or key in reported):
        return _base_of_run(run)
    first = seen[0]
    return _Base(first.service, first.environment, first.digest, first.at, first.at, first.id, None)


def find_reported(history: History) -> set[Digest]:
    """Each (service, digest) of which a deployment in production was reported, and not only seen."""
    return {
        (fact.service, fact.digest)
        for fact in history.knowledge.deployments
        if history.is_production(fact.environment)
    }


def find_missing_links(
    history: History, execution: Execution, reported: set[Digest]
) -> tuple[str, ...]:
    """The links that one production execution lacks, each tested on its own runs.

    `reported` comes from `find_reported`. Measure 4 asks the same once per release.
    """
    missing: set[str] = set()
    for run in execution.runs:
        links = _test_links(history, _base_of_run(run), reported, END_OF_TIME)
        missing |= {link for link, there in links.items() if not there}
    return tuple(link for link in LINKS if link in missing)


class _Units:
    """The releases in production in a span, as rows."""

    def __init__(self, history: History, span: Span, scope: Scope) -> None:
        self.history, self.span, self.scope = history, span, scope
        self.reported = find_reported(history)
        self.unknown = _find_unknown(history)

    def rows(self) -> list[Row]:
        """One row for each release, and one for each unknown digest seen."""
        history = self.history
        grouped: dict[tuple[str, str], list[Digest]] = defaultdict(list)
        for service, digest in sorted({*history.first_in_production, *self.unknown}):
            release = history.knowledge.release_for(service, digest)
            grouped[service, release].append((service, digest))
        made = (self._make(release, keys) for (_, release), keys in grouped.items())
        return [row for row in made if row is not None]

    def _times(self, keys: list[Digest]) -> list[datetime]:
        """The times in the span by which a unit is counted, earliest first."""
        first = self.history.first_in_production
        deployed = [first[key].finished_at for key in keys if key in first]
        times = {min(deployed)} if deployed else set()
        times |= {fact.at for key in keys for fact in self.unknown.get(key, [])}
        return sorted(at for at in times if self.span.holds(at))

    def _make(self, release: str, keys: list[Digest]) -> Row | None:
        history = self.history
        times = self._times(keys)
        bases = [_find_base(history, key, self.unknown.get(key, []), self.reported) for key in keys]
        if not times:
            return None
        bases.sort(key=lambda base: (base.finished_at, base.unit))
        base = bases[0]
        kind = base.run.kind if base.run else "normal"
        if not self.scope.holds(base.service, base.environment, kind):
            return None
        links = self._test_all(bases, END_OF_TIME)
        strict = self._test_all(bases, None)
        missing = tuple(link for link in LINKS if links.get(link) is False)
        return Row(
            unit=release,
            service=base.service,
            environment=base.environment,
            digest=base.digest,
            at=times[0],
            also_at=tuple(times[1:]),
            started_at=base.started_at,
            finished_at=base.finished_at,
            verdict="incomplete" if missing else "complete",
            reason=f"Missing: {', '.join(missing)}." if missing else "Every link is there.",
            good=not missing,
            ids=tuple(each.unit for each in bases),
            details=(
                ("missing", missing),
                ("asked", tuple(links)),
                ("complete_when_deployed", all(strict.values())),
                ("kind", kind),
            ),
        )

    def _test_all(self, bases: list[_Base], known_by: datetime | None) -> dict[str, bool]:
        """A link of a release is there when every artifact has it."""
        together: dict[str, bool] = {}
        for base in bases:
            by = known_by or base.finished_at
            for link, there in _test_links(self.history, base, self.reported, by).items():
                together[link] = together.get(link, True) and there
        return together


def _names(row: Row, detail: str) -> tuple[str, ...]:
    found = dict(row.details)[detail]
    return tuple(map(str, found)) if isinstance(found, tuple) else ()


def compute(history: History, question: Question) -> Traceability:
    """Releases with every link ÷ releases in production in the period, a fraction.

    Unknown digests seen in production are releases too. Wilson interval. Definition:
    measures v1.
    """
    span = span_of(question.period)
    scope = Scope(history.knowledge, question.filters)
    found = _Units(history, span, scope).rows()
    rows = tuple(sorted(found, key=lambda row: (row.at, row.service, row.unit)))
    summary = summarise_share(rows)
    lacking = Counter(link for row in rows for link in _names(row, "missing"))
    asked = Counter(link for row in rows for link in _names(row, "asked"))
    return Traceability(
        **state_shared(NAME, history, question, rows, summary, history.beside(span, scope)),
        missing={link: lacking[link] for link in LINKS if lacking[link]},
        coverage=tuple(
            LinkCoverage(link=link, have=asked[link] - lacking[link], of=asked[link])
            for link in LINKS
            if asked[link]
        ),
        complete_when_deployed=sum(
            bool(dict(row.details)["complete_when_deployed"]) for row in rows
        ),
    )


def series(result: Result, step: str) -> tuple[Bucket, ...]:
    """The share by day, week or month; an unknown digest is in each in which it was seen."""
    return build_series(result, step, summarise_share)
