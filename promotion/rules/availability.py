"""Whether a release may enter an environment: what it did upstream, and when it could go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from promotion.formats import format_span


class Availability(StrEnum):
    """How many of a stage's upstream environments must have had the release."""

    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Run:
    """A release runs in an environment from a successful deployment to what ended it, if known."""

    release: str
    from_at: datetime
    to_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification of the release in an upstream environment."""

    at: datetime
    passed: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A continuous time one release ran; without an end it still does."""

    from_at: datetime
    to_at: datetime | None

    def lasted(self, now: datetime) -> timedelta:
        """How long, up to now."""
        return (now if self.to_at is None else self.to_at) - self.from_at


@dataclass(frozen=True, slots=True)
class Upstream:
    """One upstream environment: what it asks, all its runs, and what befell this release there."""

    name: str
    soak: timedelta = timedelta(0)
    verifies: bool = False
    runs: tuple[Run, ...] = ()
    failed_at: tuple[datetime, ...] = ()
    verifications: tuple[Verification, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """All that decides whether one release is available for one stage."""

    release: str
    upstream: tuple[Upstream, ...]
    availability: Availability = Availability.ALL
    belongs: bool = True
    built: bool = True
    require_build: bool = False
    waived: bool = False


@dataclass(frozen=True, slots=True)
class AvailabilityVerdict:
    """Available or not, the earliest time it is (None: unknown), and a sentence per reason."""

    available: bool
    earliest: datetime | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _UpstreamVerdict:
    counts: bool
    earliest: datetime | None
    reason: str


def judge_availability(facts: OrderFacts, now: datetime) -> AvailabilityVerdict:
    """Judge the order rule for one release and stage; facts later than now have not happened."""
    if not facts.belongs:
        return _refused(f"{facts.release} is not a release of this service and never enters here.")
    if facts.require_build and not facts.built:
        return _refused(f"No build is known for {facts.release}, and this stage requires one.")
    if not facts.upstream:
        return AvailabilityVerdict(True, now, ("This stage has no upstream stage.",))
    verdicts = [_judge_upstream(facts, upstream, now) for upstream in facts.upstream]
    is_any = facts.availability is Availability.ANY
    available = (any if is_any else all)(verdict.counts for verdict in verdicts)
    return AvailabilityVerdict(
        available,
        now if available else _find_earliest(verdicts, is_any),
        tuple(verdict.reason for verdict in verdicts),
    )


def running_spans(runs: Sequence[Run], release: str, now: datetime) -> tuple[Span, ...]:
    """The continuous times `release` ran up to now; runs that touch or overlap are one.

    A run without an end lasts until the next run in the environment begins.
    """
    spans: list[Span] = []
    for run in _close_runs(run for run in runs if run.from_at <= now):
        to_at = None if run.to_at is None or run.to_at > now else run.to_at
        if run.release != release or (to_at is not None and to_at < run.from_at):
            continue
        last = spans[-1] if spans else None
        if last and (last.to_at is None or run.from_at <= last.to_at):
            end = None if last.to_at is None or to_at is None else max(last.to_at, to_at)
            spans[-1] = replace(last, to_at=end)
        else:
            spans.append(Span(run.from_at, to_at))
    return tuple(spans)


def find_longest_run(runs: Sequence[Run], release: str, now: datetime) -> timedelta | None:
    """The longest continuous time the release was the running one; None if it never was."""
    return max((s.lasted(now) for s in running_spans(runs, release, now)), default=None)


def find_current_run(runs: Sequence[Run], release: str, now: datetime) -> datetime | None:
    """When the release's present run began; None if it does not run now."""
    spans = running_spans(runs, release, now)
    return spans[-1].from_at if spans and spans[-1].to_at is None else None


def _close_runs(runs: Iterable[Run]) -> list[Run]:
    ordered = sorted(runs, key=lambda run: run.from_at)
    closed = [
        run if run.to_at is not None else replace(run, to_at=following.from_at)
        for run, following in pairwise(ordered)
    ]
    return closed + ordered[-1:]


def _judge_upstream(facts: OrderFacts, upstream: Upstream, now: datetime) -> _UpstreamVerdict:
    release, name = facts.release, upstream.name
    longest = find_longest_run(upstream.runs, release, now)
    if longest is None:
        return _UpstreamVerdict(False, None, f"{release} was never deployed to {name}.")
    if _failed_last(upstream, release, now):
        sentence = f"The latest deployment of {release} to {name} failed."
        return _UpstreamVerdict(False, None, sentence)
    if facts.waived:
        sentence = f"{release} was deployed to {name}; an exception passes verification and soak."
        return _UpstreamVerdict(True, now, sentence)
    unverified = _say_unverified(upstream, release, now)
    if unverified:
        return _UpstreamVerdict(False, None, unverified)
    if longest >= upstream.soak:
        return _UpstreamVerdict(True, now, f"{release} is good in {name}.")
    sentence = (
        f"{release} ran in {name} for {format_span(longest)} at the longest"
        f" of the {format_span(upstream.soak)} it must soak"
    )
    began_at = find_current_run(upstream.runs, release, now)
    if began_at is None:
        return _UpstreamVerdict(False, None, f"{sentence}, and does not run there now.")
    return _UpstreamVerdict(False, began_at + upstream.soak, f"{sentence}; it still runs there.")


def _failed_last(upstream: Upstream, release: str, now: datetime) -> bool:
    """A failure at the very instant of a success counts as the later one: nothing fails open."""
    succeeded_at = max(
        r.from_at for r in upstream.runs if r.release == release and r.from_at <= now
    )
    return any(succeeded_at <= failed_at <= now for failed_at in upstream.failed_at)


def _say_unverified(upstream: Upstream, release: str, now: datetime) -> str:
    if not upstream.verifies:
        return ""
    happened = [v for v in upstream.verifications if v.at <= now]
    if not happened:
        return f"{release} is not verified in {upstream.name} yet."
    # Of verifications at one instant the one listed later came later.
    latest = max(enumerate(happened), key=lambda pair: (pair[1].at, pair[0]))[1]
    return (
        "" if latest.passed else f"The latest verification of {release} in {upstream.name} failed."
    )


def _find_earliest(verdicts: Sequence[_UpstreamVerdict], is_any: bool) -> datetime | None:
    known = [verdict.earliest for verdict in verdicts if verdict.earliest is not None]
    if is_any:
        return min(known, default=None)
    return max(known) if len(known) == len(verdicts) else None


def _refused(reason: str) -> AvailabilityVerdict:
    return AvailabilityVerdict(False, None, (reason,))
