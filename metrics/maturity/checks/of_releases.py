"""Figures that count releases, versions and artifacts: built once, never overwritten, described."""

from collections import defaultdict
from datetime import timedelta
from zoneinfo import ZoneInfo

from metrics.maturity.checks.acts import name_version
from metrics.maturity.checks.facts import CheckFacts, ReleaseDetail
from metrics.maturity.checks.results import Page, Tally, Unit
from metrics.maturity.checks.windows import CheckWindow
from metrics.measures import traceability
from metrics.measures.base import Filters
from metrics.measures.periods import Period
from metrics.measures.results import Question, Row
from metrics.measures.targets import Run

Version = tuple[str, str]


def _group_versions(facts: CheckFacts) -> dict[Version, list[ReleaseDetail]]:
    found: dict[Version, list[ReleaseDetail]] = defaultdict(list)
    for each in facts.releases:
        found[each.service, each.version].append(each)
    return found


def _has_several(releases: list[ReleaseDetail]) -> bool:
    return len({each.digests for each in releases}) > 1


def _judge_version(version: Version, good: bool, what: str) -> Unit:
    service, number = version
    key = f"version-{service}-{number}"
    page = Page("release-detail", (service, number))
    return Unit(key, service, good, f"`{service} {number}` {what}", page)


def count_with_several_digests(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Versions made in the window, of which more than one digest exists or does not."""
    return Tally(
        tuple(
            _judge_version(version, not _has_several(releases), "was rebuilt")
            for version, releases in _group_versions(facts).items()
            if any(window.span.holds(each.created_at) for each in releases)
        )
    )


def count_never_overwritten(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Versions made in the window whose tag never moved and that were built once."""
    moved = {(each.service, each.version) for each in facts.tag_moves}
    units = []
    for version, releases in _group_versions(facts).items():
        if not any(window.span.holds(each.created_at) for each in releases):
            continue
        good = version not in moved and not _has_several(releases)
        units.append(_judge_version(version, good, "was overwritten"))
    return Tally(tuple(units))


def count_with_one_digest(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Of the versions that went past the first environment in the window, those with one digest."""
    groups = _group_versions(facts)
    version_of = {
        (each.service, digest): (each.service, each.version)
        for each in facts.releases
        for digest in each.digests
    }
    gone_past = {
        version_of[run.service, run.digest]: None
        for run in facts.history.runs
        if run.succeeded
        and run.service in facts.services
        and window.span.holds(run.finished_at)
        and (run.service, run.digest) in version_of
        and _is_past_first(facts, run)
    }
    return Tally(
        tuple(
            _judge_version(version, not _has_several(groups[version]), "was rebuilt")
            for version in gone_past
        )
    )


def _is_past_first(facts: CheckFacts, run: Run) -> bool:
    """In a stage after the first of the pipeline; without one, in production."""
    pipeline = facts.history.knowledge.services[run.service].pipeline_at(run.started_at)
    if pipeline is None or not pipeline.stages:
        return facts.history.is_production(run.environment)
    return run.environment != pipeline.stages[0].environment


def count_with_metadata(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Artifacts first seen in the window that say commit, build id, version, builder, time, owner."""
    units = []
    for each in facts.artifacts:
        if not window.span.holds(each.first_seen_at):
            continue
        name = f"{each.name or each.service} {each.version or each.digest[7:19]}"
        page = Page("release-detail", (each.service, each.version)) if each.version else Page()
        what = f"`{name}` does not say its {', '.join(each.lacks)}"
        key = f"artifact-{each.digest}"
        units.append(Unit(key, each.service, not each.lacks, what, page))
    return Tally(tuple(units))


def _trace(facts: CheckFacts, window: CheckWindow) -> tuple[Row, ...]:
    """The releases in production of measure 4, of the days that the window touches."""
    zone = ZoneInfo(facts.zone)
    first = window.span.starts_at.astimezone(zone).date()
    last = facts.at.astimezone(zone).date() + timedelta(days=1)
    question = Question(period=Period(first, last, facts.zone), filters=Filters())
    rows = traceability.compute(facts.history, question).rows
    return tuple(row for row in rows if row.service in facts.services)


def _judge_row(facts: CheckFacts, row: Row, good: bool, what: str) -> Unit:
    version = facts.versions.get((row.service, row.digest))
    page = Page("release-detail", (row.service, version)) if version else _find_event(facts, row)
    name = f"{row.service} {name_version(facts, row.service, row.digest)}"
    # A release keeps its digest while its row's key may be another once a build is known.
    key = f"release-{row.service}-{row.digest}"
    return Unit(key, row.service, good, f"`{name}` {what}", page)


def _find_event(facts: CheckFacts, row: Row) -> Page:
    event = next((facts.events[key] for key in row.ids if key in facts.events), None)
    return Page("event-detail", (event,)) if event is not None else Page()


def count_traceable(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Measure 4: releases in production with every link."""
    return Tally(
        tuple(
            _judge_row(facts, row, row.good, f"lacks links. {row.reason}".rstrip("."))
            for row in _trace(facts, window)
        )
    )


def count_on_path(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Releases in production that came the way their service's pipeline asks for."""
    history = facts.history
    units = []
    for row in _trace(facts, window):
        at = row.started_at or row.at
        service = history.knowledge.services[row.service]
        if service.pipeline_at(at) is None:
            fault = "went to production, and the service has no pipeline"
        else:
            missing = history.missing_upstream(
                row.service, row.environment, row.digest, at, history.as_of
            )
            fault = f"went past {', '.join(missing)}" if missing else ""
        units.append(_judge_row(facts, row, not fault, fault))
    return Tally(tuple(units))
