"""The weekly and single values of a service, or of all together, and what is unusual in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import exp, log
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from metrics.anomalies.base import BASELINE, FAR_APART, SHIFT, Finding
from metrics.anomalies.failures import judge_failures
from metrics.anomalies.individuals import judge_individuals
from metrics.anomalies.shares import judge_shares
from metrics.anomalies.shifts import find_shift
from metrics.described import DESCRIBED
from metrics.forms import CUSTOM, Asked
from metrics.measures.base import Filters
from metrics.measures.periods import WEEK, Period, start_of_day
from metrics.measures.results import Bucket
from metrics.models import ExecutionFact, SpanFact
from metrics.reports import Report
from metrics.rollups.figures import make_buckets

from .candidates import THROUGHPUT, Candidate, Scope
from .words import NUMBER, PERCENT, TIME, tell_finding

WEEKS, JUDGED_WEEKS, SHIFT_WEEKS = 53, 8, 26
MOST = 1000  # single values looked back on
RATES = ("automated_share", "first_pass", "traceability", "failures")


@dataclass(frozen=True, slots=True)
class Series:
    """Points in order of time: the day of each, and from which on they are judged."""

    measure: str
    unit: str
    days: list[date]
    values: list[float]
    judged_from: int
    units: tuple[str, ...] = ()  # of single values: what each is
    is_log: bool = False

    def plain(self, value: float | None) -> float | None:
        """A value as people read it."""
        return value if value is None or not self.is_log else exp(value)


def find_in_series(scope: Scope, at: datetime) -> list[Candidate]:
    """What is unusual in the year before the week of `at`; some twenty queries, whatever its size."""
    today = at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    monday = today - timedelta(days=today.weekday())
    period = Period(monday - timedelta(weeks=WEEKS), monday, settings.TIME_ZONE)
    filters = Filters(service=scope.service.slug) if scope.service else Filters()
    report = Report(Asked(period, CUSTOM, filters, at, is_now=True, asked_at=at))
    found: list[Candidate] = []
    for series, finding in _find_all(scope, report, at):
        found.append(_make(scope, series, finding))
    return found


def _find_all(scope: Scope, report: Report, at: datetime) -> Iterator[tuple[Series, Finding]]:
    buckets = {
        name: make_buckets(
            name,
            report.figures_of.buckets(name, report.where(name), report.asked.period, WEEK),
            report.asked.period,
            WEEK,
            at,
        )
        for name in DESCRIBED
    }
    for name in RATES:
        yield from _judge_rate(name, buckets[name])
    yield from _judge_throughput(buckets["automated_share"])
    yield from _judge_weekly(_medians(buckets["build_to_production"]))
    yield from _judge_single(scope, report.asked.period)
    yield from _judge_failures(scope, report.asked.period, at)


def _judged_from(days: Sequence[date], weeks: int = JUDGED_WEEKS) -> int:
    """The first of the points that are recent, by the last week there is."""
    return sum(day < days[-1] - timedelta(weeks=weeks - 1) for day in days) if days else 0


def _judge_rate(name: str, buckets: Sequence[Bucket]) -> Iterator[tuple[Series, Finding]]:
    ripe = [each for each in buckets if each.n and not each.provisional]
    counts = [(int(each.numerator or 0), each.n) for each in ripe]
    days = [each.period.from_ for each in ripe]
    series = Series(name, PERCENT, days, [k / n for k, n in counts], _judged_from(days))
    for finding in judge_shares(counts, series.judged_from):
        yield series, finding
    yield from _judge_shift(series)


def _judge_throughput(buckets: Sequence[Bucket]) -> Iterator[tuple[Series, Finding]]:
    """Production deployments a week, weeks without one included from the first with one on.

    Fewer than one a week are too rare to be counted by week.
    """
    first = next((place for place, each in enumerate(buckets) if each.n), len(buckets))
    known = buckets[first:]
    days = [each.period.from_ for each in known]
    values = [float(each.n) for each in known]
    if values and sum(values) >= len(values):
        yield from _judge_weekly(Series(THROUGHPUT, NUMBER, days, values, _judged_from(days)))


def _medians(buckets: Sequence[Bucket]) -> Series:
    known = [each for each in buckets if each.value and not each.provisional]
    days = [each.period.from_ for each in known]
    values = [log(each.value) for each in known if each.value]
    return Series("build_to_production", TIME, days, values, _judged_from(days), is_log=True)


def _judge_weekly(series: Series) -> Iterator[tuple[Series, Finding]]:
    for finding in judge_individuals(series.values, series.judged_from):
        yield series, finding
    yield from _judge_shift(series)


def _judge_shift(series: Series) -> Iterator[tuple[Series, Finding]]:
    shift = find_shift(series.values, _judged_from(series.days, SHIFT_WEEKS))
    if shift is not None:
        yield series, shift


def _judge_single(scope: Scope, period: Period) -> Iterator[tuple[Series, Finding]]:
    """The times of single releases of one service; of several they are no one kind."""
    if scope.service is None:
        return
    rows = SpanFact.objects.filter(
        service=scope.service, at__lt=period.ends_at, at__gte=period.starts_at, hours__gt=0
    ).order_by("-at", "-unit")[:MOST]
    facts = list(reversed(rows.values_list("day", "hours", "unit")))
    if not facts:
        return
    days = [day for day, _, _ in facts]
    judged_from = sum(day < period.to - timedelta(weeks=JUDGED_WEEKS) for day in days)
    series = Series(
        "build_to_production",
        TIME,
        days,
        [log(hours) for _, hours, _ in facts],
        judged_from,
        units=tuple(unit for _, _, unit in facts),
        is_log=True,
    )
    for finding in judge_individuals(series.values, series.judged_from):
        yield series, finding


def _judge_failures(scope: Scope, period: Period, at: datetime) -> Iterator[tuple[Series, Finding]]:
    rows = ExecutionFact.objects.filter(
        is_production=True, mature_at__lte=at, at__gte=period.starts_at
    )
    if scope.service is not None:
        rows = rows.filter(service=scope.service)
    newest = rows.order_by("-at", "-unit").values_list("day", "has_failed", "unit")[: 10 * MOST]
    facts = list(reversed(newest))
    days = [day for day, _, _ in facts]
    judged_from = sum(day < period.to - timedelta(weeks=JUDGED_WEEKS) for day in days)
    series = Series(
        "failures", NUMBER, days, [], judged_from, units=tuple(unit for _, _, unit in facts)
    )
    for finding in judge_failures([failed for _, failed, _ in facts], judged_from):
        yield series, finding


def _make(scope: Scope, series: Series, finding: Finding) -> Candidate:
    limits = finding.limits
    shown = replace(
        finding,
        value=series.plain(finding.value) or 0.0,
        limits=replace(
            limits,
            centre=series.plain(limits.centre) or 0.0,
            low=series.plain(limits.low),
            high=series.plain(limits.high),
        ),
    )
    side = "high" if finding.is_high else "low"
    kind = "single" if series.units else "weekly"
    first, last = series.days[finding.first], series.days[finding.last]
    end = last if series.units else last + timedelta(days=6)
    is_point = bool(series.units) and (finding.first == finding.last or finding.rule == FAR_APART)
    return Candidate(
        family=f"{scope.key}:{series.measure}:{kind}:{finding.rule}:{side}",
        measure=series.measure,
        rule=finding.rule,
        sentence=tell_finding(series.measure, scope.whose, shown, series.unit, series.days),
        is_worse=_is_worse(series.measure, finding),
        first_day=first,
        last_day=end,
        happened_at=start_of_day(end + timedelta(days=1), settings.TIME_ZONE),
        rows=_find_rows(scope, series.measure, first, end),
        details=_detail(series, finding, shown),
        unit=series.units[finding.last] if is_point else "",
        service=scope.service.pk if scope.service else None,
    )


def _detail(series: Series, finding: Finding, shown: Finding) -> dict[str, object]:
    """What was compared with what; of gaps the baseline has no days of its own."""
    n, limits = finding.limits.n, shown.limits
    end = finding.first if finding.rule == SHIFT else max(BASELINE, series.judged_from)
    baseline: dict[str, object] = {"n": n, "centre": limits.centre}
    if finding.rule != FAR_APART:
        baseline["from"] = series.days[max(0, end - n)].isoformat()
        baseline["to"] = series.days[end - 1].isoformat()
    return {
        "unit": series.unit,
        "value": shown.value,
        "baseline": baseline,
        "limits": {"low": limits.low, "high": limits.high},
    }


def _is_worse(measure: str, finding: Finding) -> bool | None:
    """Whether it is on the bad side; many gaps between failures, and many deployments, are good."""
    if measure == THROUGHPUT or finding.rule == FAR_APART:
        return not finding.is_high
    return finding.is_high != DESCRIBED[measure].is_higher_better


def _find_rows(scope: Scope, measure: str, first: date, last: date) -> str:
    name = "automated_share" if measure == THROUGHPUT else measure
    query = {"from": first.isoformat(), "to": (last + timedelta(days=1)).isoformat()}
    if scope.service:
        query["service"] = scope.service.slug
    return f"{reverse('measure-rows', args=[DESCRIBED[name].slug])}?{urlencode(query)}"
