"""A small world for histories in any order, and figures held beside a full computation."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from typing import Any

from django.conf import settings

from metrics.breakdown import group_by_service, summarise_rows
from metrics.described import DESCRIBED
from metrics.facts import load_record
from metrics.forms import Asked
from metrics.measures.base import Filters
from metrics.measures.history import History
from metrics.measures.periods import Period
from metrics.measures.registry import MEASURES
from metrics.measures.results import Question, Result
from metrics.reports import Report, find_services
from metrics.rollups.figures import narrowed_to_production, summarise

# What a result tells otherwise by design: rows are read apart, and what is beside is counted.
APART = ("rows", "beside", "negative", "mean_parts")
ALL = slice(0, 10_000)


def ask(
    first: date, end: date, at: datetime, *, is_now: bool = True, filters: Filters | None = None
) -> Asked:
    """A question of some days."""
    period = Period(first, end, settings.TIME_ZONE)
    return Asked(period, "custom", filters or Filters(), at, is_now, asked_at=at)


def compute_purely(asked: Asked, name: str) -> Result:
    """The figure from all that is on record, as the pure measures give it."""
    record = load_record(asked.as_of, services=find_services(asked))
    filters = asked.filters
    if name == "first_pass":
        filters = narrowed_to_production(filters)
    question = Question(period=asked.period, filters=filters)
    return MEASURES[name].compute(History(record, asked.as_of), question)


def assert_same(report: Report, name: str) -> None:
    """The figure, its series, rows, services and what is counted beside are the pure ones."""
    pure, found = compute_purely(report.asked, name), report.compute(name)
    for field in fields(pure):
        if field.name in APART or (field.name == "no_data" and report.asked.is_narrowed):
            continue
        wanted, got = getattr(pure, field.name), getattr(found, field.name)
        assert plain(got) == plain(wanted), (name, field.name)
    if name == "build_to_production":
        assert len(found.negative) == len(pure.negative)
        wanted_parts = {part.name: (part.hours, part.share) for part in pure.mean_parts}
        assert {part.name: plain((part.hours, part.share)) for part in found.mean_parts} == plain(
            wanted_parts
        )
    ordered = sorted(pure.rows, key=lambda row: (row.at, row.unit))
    assert [plain(row) for row in report.rows(name, ALL)] == [plain(row) for row in ordered]
    series = MEASURES[name].series(pure, report.step)
    assert plain(report.figure(name).buckets) == plain(series)
    assert_same_services(report, name, pure)
    wanted_aside = {key: len(getattr(pure.beside, key)) for key in report.count_aside(name)}
    assert report.count_aside(name) == wanted_aside


def assert_same_services(report: Report, name: str, pure: Result) -> None:
    """The figure of every service is that of its rows."""
    tallies = report.tally_services(name, report.list_services())
    found = {
        report.services[key][0]: plain(summarise(name, tallied))
        for key, tallied in tallies.items()
        if tallied.tally.of("n")
    }
    wanted = {
        service: plain(summarise_rows(DESCRIBED[name], rows))
        for service, rows in group_by_service(pure.rows).items()
    }
    assert found == {service: each for service, each in wanted.items() if each["n"]}


def plain(value: Any) -> Any:
    """A value for comparison: floats to ten figures, dataclasses as dictionaries."""
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def narrowings(services: Iterable[str], teams: Iterable[str]) -> list[Filters]:
    """Questions of all, and narrowed by each dimension."""
    return [
        Filters(),
        *(Filters(service=slug) for slug in services),
        *(Filters(team=slug) for slug in teams),
        Filters(environment="production"),
        Filters(environment="staging"),
        Filters(kind="rollback"),
        Filters(kind="normal"),
        replace(Filters(), environment="production", kind="hotfix"),
    ]
