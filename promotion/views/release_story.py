"""A release's record told for its page: the stops of the track, where its digest was seen, what was said."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.urls import NoReverseMatch, reverse

from promotion.formats import format_span
from promotion.gates.runs import running_release
from promotion.integrity.record import ReleaseRecord
from promotion.integrity.trace import Trace, approvers_before
from promotion.models import (
    Commit,
    Deployment,
    Environment,
    Observation,
    Promotion,
    Release,
    RunResult,
)
from promotion.rules.states import State

NEVER = datetime.max.replace(tzinfo=UTC)
STATUS_OF_RESULT: dict[str, str] = {
    RunResult.SUCCEEDED: "passed",
    RunResult.STARTED: "running",
    RunResult.QUEUED: "pending",
    RunResult.FAILED: "failed",
    RunResult.ROLLED_BACK: "warned",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the track; `next` styles the line after it."""

    name: str
    status: str
    at: datetime | None = None
    note: str = ""
    url: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One place where a digest of the release was, and who says so."""

    place: str
    digest: str
    is_same: bool
    said_by: str
    put_by: str
    promotion: Promotion | None
    at: datetime | None
    status: str
    outcome: str
    url: str = ""


def list_places(record: ReleaseRecord, trace: Trace) -> list[Environment]:
    """The environments of the pipeline in its order, then others where it was deployed."""
    slugs = [stage.environment for stage in trace.form.stages] if trace.form else []
    slugs += [one.environment.slug for one in record.deployments]
    known = {one.slug: one for one in Environment.objects.filter(slug__in=slugs)}
    return [known[slug] for slug in dict.fromkeys(slugs) if slug in known]


def list_stops(
    record: ReleaseRecord, commits: Iterable[Commit], places: list[Environment], at: datetime
) -> list[Stop]:
    """From the commit over build and artifact into each environment."""
    stops = [_commit_stop(record, commits), _build_stop(record), _artifact_stop(record)]
    stops += [_place_stop(record, place, at) for place in places]
    lines = {"passed": "", "warned": "", "running": "running", "waiting": "waiting"}
    return [
        Stop(one.name, one.status, one.at, one.note, one.url, lines.get(after.status, "none"))
        for one, after in zip(stops, [*stops[1:], stops[-1]], strict=True)
    ]


def _commit_stop(record: ReleaseRecord, commits: Iterable[Commit]) -> Stop:
    sha = record.release.commit
    if not sha:
        return Stop("Source", "unknown", note="no commit is known")
    own = next((commit for commit in commits if commit.sha == sha), None)
    who = f", {own.author_name}" if own and own.author_name else ""
    return Stop("Source", "passed", own.committed_at if own else None, f"{sha[:7]}{who}")


def _build_stop(record: ReleaseRecord) -> Stop:
    if not record.builds:
        return Stop("Build", "unknown", note="no build is known")
    build = record.builds[0]
    span = (
        f", {format_span(build.finished_at - build.started_at)}"
        if build.finished_at and build.started_at
        else ""
    )
    status = STATUS_OF_RESULT.get(build.result, "unknown")
    note = f"run {build.external_id}{span}"
    return Stop("Build", status, build.finished_at, note, web_address(build.url))


def _artifact_stop(record: ReleaseRecord) -> Stop:
    kinds = list(dict.fromkeys(one.type for one in record.evidence))
    first = min((one.first_seen_at for one in record.artifacts), default=None)
    return Stop("Artifact", "passed", first, ", ".join(kinds) if kinds else "no evidence yet")


def _place_stop(record: ReleaseRecord, place: Environment, at: datetime) -> Stop:
    there = [one for one in record.deployments if one.environment_id == place.pk]
    asked = next((one for one in record.promotions if one.environment_id == place.pk), None)
    url = reverse_or_none("promotion-detail", asked.pk) if asked else ""
    number = asked.number if asked else ""
    if asked and asked.is_open:
        status = "running" if asked.state == State.RUNNING else "waiting"
        return Stop(place.name, status, asked.started_at or asked.asked_at, number, url)
    if there:
        last = max(there, key=lambda one: one.finished_at or one.started_at or one.received_at)
        status = STATUS_OF_RESULT.get(last.result, "skipped")
        runs = running_release(record.release.service, place, at)
        words = [number] if number else []
        words += ["runs there now"] if runs and runs.pk == record.release.pk else []
        return Stop(place.name, status, last.finished_at, ", ".join(words), url)
    if asked:
        return Stop(place.name, asked.state, asked.ended_at, number, url)
    return Stop(place.name, "pending", note="not there yet")


def list_sightings(record: ReleaseRecord) -> list[Sighting]:
    """Build output, every deployment that speaks of it, and what was seen running, oldest first."""
    found = [
        Sighting(
            "Build output",
            artifact.digest,
            True,
            build.source,
            f"run {build.external_id}",
            None,
            build.finished_at,
            STATUS_OF_RESULT.get(build.result, "unknown"),
            build.get_result_display().lower() or "not said",
            web_address(build.url),
        )
        for artifact in record.artifacts
        for build in record.builds_of(artifact)
    ]
    rows = [_deployed(record, one) for one in record.deployments] + _seen(record)
    return found + sorted(rows, key=lambda row: row.at or NEVER)


def _deployed(record: ReleaseRecord, one: Deployment) -> Sighting:
    by = ""
    if one.promotion:
        names = approvers_before(one.promotion, one.promotion.started_at)
        by = f", approved by {', '.join(names)}" if names else ""
    elif one.actor:
        by = one.actor
    return Sighting(
        _place(one.environment, one.target) + ", deployed",
        one.digest,
        one.digest in record.artifact_of,
        f"{one.source}; {one.found_how or one.get_found_display().lower()}",
        by,
        one.promotion,
        one.finished_at or one.started_at,
        STATUS_OF_RESULT.get(one.result, "skipped"),
        one.get_result_display().lower(),
        web_address(one.url),
    )


def _seen(record: ReleaseRecord) -> list[Sighting]:
    """Of many sightings in one place the latest, with how often it was seen."""
    groups: dict[tuple[str, str], list[Observation]] = {}
    for one in record.observations:
        groups.setdefault((_place(one.environment, one.target), one.digest), []).append(one)
    return [
        Sighting(
            f"{place}, running",
            digest,
            True,
            "seen once" if len(rows) == 1 else f"seen {len(rows)} times",
            "",
            None,
            rows[-1].seen_at,
            "passed",
            "seen",
        )
        for (place, digest), rows in groups.items()
    ]


def _place(environment: Environment, target: str) -> str:
    return f"{environment.name} {target}" if target else environment.name


def tell(record: ReleaseRecord, trace: Trace, places: list[Environment]) -> str:
    """One or two sentences: how it was made and how far it came."""
    release = record.release
    made = _tell_builds(record, release)
    been = [
        place.name
        for place in places
        if any(
            one.environment_id == place.pk and one.result == RunResult.SUCCEEDED
            for one in record.deployments
        )
    ]
    if not been:
        return f"{made} It was not deployed anywhere yet."
    lead = _lead(record, trace)
    after = f", in production {format_span(lead)} after its build" if lead else ""
    return f"{made} The same digest was deployed in {list_words(been)}{after}."


def _tell_builds(record: ReleaseRecord, release: Release) -> str:
    if not record.builds:
        return "No build of it is known."
    commit = f" from commit {release.commit[:7]}" if release.commit else ""
    times = len({build.pk for build in record.builds})
    often = "Built once" if times == 1 else f"Made by {times} builds"
    return f"{often}{commit}."


def _lead(record: ReleaseRecord, trace: Trace) -> timedelta | None:
    finished = min((one.finished_at for one in record.builds if one.finished_at), default=None)
    if finished is None or trace.base is None or trace.base.finished_at is None:
        return None
    span = trace.base.finished_at - finished
    return span if span >= timedelta(0) else None


def list_words(words: list[str]) -> str:
    """One, two and three."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def web_address(url: str) -> str:
    """The address where it is one of the web; senders may write anything."""
    return url if url.startswith(("https://", "http://")) else ""


def reverse_or_none(name: str, *args: object) -> str:
    """The address of a page, empty where that page does not exist."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
