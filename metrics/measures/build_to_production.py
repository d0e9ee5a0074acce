"""Measure 3: the time from a build's finish to its first production deployment."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from metrics.measures.history import History, Scope
from metrics.measures.journeys import (
    Part,
    average_parts,
    in_hours,
    reach_all,
    split_span,
)
from metrics.measures.knowledge import SetAside
from metrics.measures.periods import Span, span_of
from metrics.measures.results import (
    Bucket,
    Question,
    Result,
    Row,
    Summary,
    build_series,
    state_shared,
)
from metrics.measures.targets import Run
from metrics.statistics import Percentile, SurvivalCurve, kaplan_meier, measure_percentile

NAME = "build_to_production"
COHORT_DAYS = (1, 7, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Percentiles of spans in hours; a value is None where n is too small for it."""

    n: int
    p50: Percentile
    p75: Percentile
    p90: Percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """What was built in the period: the share in production after some days.

    `in_production` pairs days with a Kaplan–Meier share (fraction); `superseded` is the
    share never deployed of which a later build of the service is in production.
    """

    n: int
    in_production: tuple[tuple[int, float | None], ...]
    deployed: float | None
    superseded: float | None
    waiting: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildToProduction(Result):
    """Measure 3: until the first target (headline), until all, and hotfixes apart."""

    spread: Spread
    until_all: Spread
    hotfixes: Spread
    mean_parts: tuple[Part, ...]
    cohort: Cohort
    negative: tuple[SetAside, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    """One release's way: its earliest build and the run that completed it."""

    release: str
    digests: frozenset[str]
    built_at: datetime
    last: Run
    first_runs: tuple[Run, ...]


def _spread(hours: Iterable[float]) -> Spread:
    ordered = sorted(hours)
    return Spread(
        n=len(ordered),
        p50=measure_percentile(ordered, 0.5),
        p75=measure_percentile(ordered, 0.75),
        p90=measure_percentile(ordered, 0.9),
    )


def _find_spans(history: History) -> Iterable[_Span]:
    """The spans of all releases wholly in production, built, and not first rolled back."""
    released: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for (service, digest), run in history.first_in_production.items():
        released[service, history.knowledge.release_for(service, digest)].append(run)
    for (service, release), runs in released.items():
        digests = history.knowledge.digests_for(service, release)
        builds = [
            history.builds_of[service, digest][0]
            for digest in digests
            if (service, digest) in history.builds_of
        ]
        whole = len(runs) == len(digests)
        if not builds or not whole or any(run.is_rollback for run in runs):
            continue
        last = max(runs, key=lambda run: (run.finished_at, run.started_at, run.id))
        built_at = min(build.finished_at for build in builds)
        yield _Span(release, digests, built_at, last, tuple(runs))


def _make_row(history: History, span: _Span) -> Row:
    last = span.last
    all_at = reach_all(history, last, span.digests)
    parts = split_span(history, span.built_at, last)
    return Row(
        unit=span.release,
        service=last.service,
        environment=last.environment,
        digest=last.digest,
        at=last.finished_at,
        started_at=span.built_at,
        finished_at=last.finished_at,
        verdict="hotfix" if last.kind == "hotfix" else "normal",
        reason="From its earliest build to its first successful production deployment.",
        good=True,
        hours=in_hours(last.finished_at - span.built_at),
        ids=tuple(run.id for run in span.first_runs),
        details=(
            ("until_all_hours", in_hours(all_at - span.built_at) if all_at else None),
            ("parts", parts),
            ("kind", last.kind),
        ),
    )


@dataclass(frozen=True, slots=True)
class BuiltDigest:
    """One digest of a service, when its earliest build ended, and when it reached production.

    `superseded`: it never did, and a later build of the service is in production.
    """

    service: str
    digest: str
    built_at: datetime
    deployed_at: datetime | None
    superseded: bool


def find_built(history: History) -> Iterator[BuiltDigest]:
    """All digests that were built; those deployed before they were built are left out."""
    newest: dict[str, datetime] = {}
    for (service, digest), builds in history.builds_of.items():
        if (service, digest) in history.first_in_production:
            built_at = builds[0].finished_at
            newest[service] = max(newest.get(service, built_at), built_at)
    for (service, digest), builds in history.builds_of.items():
        built_at = builds[0].finished_at
        run = history.first_in_production.get((service, digest))
        if run is not None and run.finished_at < built_at:
            continue
        is_older = run is None and service in newest and newest[service] > built_at
        yield BuiltDigest(service, digest, built_at, run.finished_at if run else None, is_older)


def follow_cohort(built: Iterable[BuiltDigest], as_of: datetime) -> Cohort:
    """Kaplan–Meier over digests that were built; those not deployed by `as_of` are censored."""
    spans: list[tuple[float, bool]] = []
    superseded = 0
    for each in built:
        ended_at = each.deployed_at or as_of
        if ended_at >= each.built_at:
            spans.append((in_hours(ended_at - each.built_at) / 24, each.deployed_at is not None))
            superseded += each.superseded
    deployed = sum(event for _, event in spans)
    return state_cohort(kaplan_meier(spans), len(spans), deployed, superseded)


def state_cohort(curve: SurvivalCurve, n: int, deployed: int, superseded: int) -> Cohort:
    """A cohort of n digests from its curve (over days) and counts."""
    return Cohort(
        n=n,
        in_production=tuple((days, curve.share_at(days)) for days in COHORT_DAYS),
        deployed=deployed / n if n else None,
        superseded=superseded / n if n else None,
        waiting=(n - deployed - superseded) / n if n else None,
    )


def _follow_cohort(history: History, span: Span, scope: Scope) -> Cohort:
    built = (
        each
        for each in find_built(history)
        if span.holds(each.built_at) and scope.holds_service(each.service)
    )
    return follow_cohort(built, history.as_of)


def _hours(rows: Iterable[Row], name: str) -> list[float]:
    found = (dict(row.details)[name] for row in rows)
    return [value for value in found if isinstance(value, float)]


def _parts(row: Row) -> tuple[Part, ...]:
    found = dict(row.details)["parts"]
    return (
        tuple(part for part in found if isinstance(part, Part)) if isinstance(found, tuple) else ()
    )


def _find_rows(history: History, period: Span, scope: Scope) -> tuple[list[Row], list[SetAside]]:
    """The spans that ended in the period, and the deployments whose span is below zero."""
    found: list[Row] = []
    negative: list[SetAside] = []
    for span in _find_spans(history):
        last = span.last
        if not period.holds(last.finished_at):
            continue
        if not scope.holds(last.service, last.environment, last.kind):
            continue
        if last.finished_at < span.built_at:
            negative.append(
                SetAside(
                    last.id,
                    "deployment",
                    last.service,
                    last.environment,
                    last.finished_at,
                )
            )
            continue
        found.append(_make_row(history, span))
    return found, negative


def compute(history: History, question: Question) -> BuildToProduction:
    """Percentiles, in hours, of build → first successful production deployment.

    Type 7 with order-statistic intervals; the value is the median. A span below zero is
    quarantined. Definition: measures v1.
    """
    period = span_of(question.period)
    scope = Scope(history.knowledge, question.filters)
    found, negative = _find_rows(history, period, scope)
    rows = tuple(sorted(found, key=lambda row: (row.at, row.service, row.unit)))
    beside = history.beside(period, scope, tuple(negative))
    return BuildToProduction(
        **state_shared(NAME, history, question, rows, _summarise(rows), beside),
        spread=_spread(row.hours for row in rows if row.hours is not None),
        until_all=_spread(_hours(rows, "until_all_hours")),
        hotfixes=_spread(
            row.hours for row in rows if row.verdict == "hotfix" and row.hours is not None
        ),
        mean_parts=average_parts([_parts(row) for row in rows]),
        cohort=_follow_cohort(history, period, scope),
        negative=tuple(negative),
    )


def _summarise(rows: Sequence[Row]) -> Summary:
    ordered = sorted(row.hours for row in rows if row.hours is not None)
    median = measure_percentile(ordered, 0.5)
    return Summary(len(ordered), None, median.value, median.interval)


def series(result: Result, step: str) -> tuple[Bucket, ...]:
    """The median, in hours, by day, week or month; a gap where n < 5."""
    return build_series(result, step, _summarise)
