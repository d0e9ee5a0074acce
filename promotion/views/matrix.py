"""The matrix of services and environments: what stands in each place, and the lines between them."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from promotion.formats import format_age
from promotion.models import Environment, Promotion, RunResult, Service
from promotion.rules.states import State

from .commit_distances import CommitPair, count_commits
from .places import Lane, Lanes, Placed
from .promotion_lines import PromotionLine

# Inventory is expected hourly; three times unheard of, the last good colour is no longer shown.
UNHEARD_OF_AFTER = timedelta(hours=3)
NOTHING = Lane()
FAILED_WORDS = {
    RunResult.FAILED.value: "failed",
    RunResult.ROLLED_BACK.value: "rolled back",
    RunResult.CANCELLED.value: "cancelled",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One cell: what runs there. `at` is when it began; `note` says more where there is more to say."""

    environment: Environment
    status: str
    version: str = ""
    release: int | None = None
    at: datetime | None = None
    note: str = ""
    running: Placed | None = None
    has_drift: bool = False
    failed_version: str = ""
    is_on_the_way: bool = True
    """False where the service's pipeline has no stage for it: then the line passes by."""


@dataclass(frozen=True, slots=True)
class Hop:
    """The line to the next place: kind is same, ahead, moving, or empty where there is none.

    `passes` is true where the line only goes on, past a place the pipeline leaves out.
    """

    kind: str = ""
    text: str = ""
    passes: bool = False


@dataclass(frozen=True, slots=True)
class NextStep:
    """The pill at the end of a row; without a status it is plain words."""

    text: str
    status: str = ""
    number: int | None = None
    ask_release: int | None = None
    ask_environment: str = ""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One service: its places, each with the line that leads on from it, and its next step."""

    service: Service
    cells: tuple[tuple[Place, Hop], ...]
    next_step: NextStep
    rank: int
    """The lower, the more it needs somebody: what the table is sorted by."""


def build_rows(
    services: Iterable[Service],
    environments: Sequence[Environment],
    lanes: Lanes,
    lines: Iterable[PromotionLine],
    mine: frozenset[int],
    at: datetime,
    ways: Mapping[int, frozenset[str]] | None = None,
) -> list[MatrixRow]:
    """The rows in the services' order; one query, for the commits between places.

    `ways` names the environments of each service's pipeline; a service without one goes through all.
    """
    by_service: dict[int, list[PromotionLine]] = {}
    for line in lines:
        by_service.setdefault(line.promotion.service_id, []).append(line)
    drawn = []
    for service in services:
        own = by_service.get(service.pk, [])
        moving = {
            line.promotion.environment_id: line
            for line in own
            if line.promotion.state == State.RUNNING
        }
        places = [
            _place(
                place,
                lanes.get((service.pk, place.pk), NOTHING),
                moving.get(place.pk),
                at,
                is_on_the_way=_is_on_the_way(place, (ways or {}).get(service.pk)),
            )
            for place in environments
        ]
        drawn.append((service, own, moving, places))
    distances = count_commits(
        [pair for service, _, _, places in drawn for pair in _pairs(service, places)]
    )
    return [
        _row(service, places, _hops(service, places, moving, distances), own, mine, at)
        for service, own, moving, places in drawn
    ]


def _is_on_the_way(place: Environment, way: frozenset[str] | None) -> bool:
    return way is None or place.slug in way


def _way(places: Sequence[Place]) -> list[Place]:
    """The places the service goes through; where something runs beside its way, that shows all the same."""
    return [place for place in places if place.is_on_the_way or place.running]


def _place(
    environment: Environment,
    lane: Lane,
    moving: PromotionLine | None,
    at: datetime,
    *,
    is_on_the_way: bool = True,
) -> Place:
    running, last, seen = lane.running, lane.last, lane.seen
    version = running.version if running else ""
    release, since = (running.release, running.at) if running else (None, None)
    drift = bool(
        seen and (not running or (seen.at >= running.at and not seen.digests & running.digests))
    )
    failed = (
        last
        if last and last.result in FAILED_WORDS and (not running or last.at >= running.at)
        else None
    )
    status, note = "passed" if running else "pending", ""
    if moving:
        status, since = "running", moving.promotion.started_at
        version = (
            f"{version} → {moving.promotion.release.version}"
            if version
            else moving.promotion.release.version
        )
    elif seen and drift:
        status, note = "warned", "another digest seen" if running else "seen, never promoted"
        version, since = version or seen.digest[7:19], seen.at
    elif failed:
        status, note = "failed", f"{failed.version} {FAILED_WORDS[failed.result]}"
    elif seen and at - seen.at > UNHEARD_OF_AFTER:
        status, note = "unknown", f"last seen {format_age(at - seen.at)} ago"
    return Place(
        environment,
        status,
        version,
        release,
        since,
        note,
        running,
        drift,
        failed.version if failed else "",
        is_on_the_way,
    )


def _pairs(service: Service, places: Sequence[Place]) -> Iterable[CommitPair]:
    for here, there in itertools.pairwise(_way(places)):
        pair = _pair(service, here, there)
        if pair:
            yield pair


def _pair(service: Service, here: Place, there: Place) -> CommitPair | None:
    """The question how far `here` is ahead of `there`; None where it does not arise."""
    if not here.running or not there.running or here.running.digests == there.running.digests:
        return None
    return CommitPair(service.repository, there.running.commit, here.running.commit)


def _hops(
    service: Service,
    places: Sequence[Place],
    moving: Mapping[int, PromotionLine],
    distances: Mapping[CommitPair, int],
) -> list[Hop]:
    """One after each place but the last; over a place left out the line is drawn on."""
    found = {}
    for here, there in itertools.pairwise(_way(places)):
        line, pair = moving.get(there.environment.pk), _pair(service, here, there)
        if line:
            found[here.environment.pk] = Hop("moving", f"{line.percent}\u00a0%")
        elif pair:
            steps = distances.get(pair)
            text = "differs" if steps is None else f"{steps} ahead" if steps else "rebuilt"
            found[here.environment.pk] = Hop("ahead", text)
        else:
            found[here.environment.pk] = Hop("same" if here.running and there.running else "")
    hops, on = [], Hop()
    way = {place.environment.pk for place in _way(places)}
    for place in places:
        if place.environment.pk in way:
            on = found.get(place.environment.pk, Hop())
            hops.append(on)
        else:
            hops.append(Hop(on.kind, passes=True))
    return hops


def _row(
    service: Service,
    places: Sequence[Place],
    hops: Sequence[Hop],
    lines: Sequence[PromotionLine],
    mine: frozenset[int],
    at: datetime,
) -> MatrixRow:
    rank, step = find_next_step(places, lines, mine, at)
    return MatrixRow(service, tuple(zip(places, hops, strict=True)), step, rank)


def find_next_step(
    places: Sequence[Place], lines: Sequence[PromotionLine], mine: frozenset[int], at: datetime
) -> tuple[int, NextStep]:
    """What happens next to the service, and how much it needs somebody (0 most)."""
    if lines:
        return min((_step_of(line, mine, at) for line in lines), key=lambda found: found[0])
    for place in places:
        if place.status == "failed":
            return 3, NextStep(
                f"{place.failed_version} failed in {place.environment.name}", "failed"
            )
    for place in reversed(places):
        if place.has_drift:
            return 4, NextStep(f"Drift in {place.environment.name}", "warned")
    for here, there in itertools.pairwise(place for place in places if place.is_on_the_way):
        if here.running and (not there.running or here.running.digests != there.running.digests):
            text = f"Promote {here.running.version} to {there.environment.name}…"
            return 6, NextStep(text, "", None, here.release, there.environment.slug)
    has_release = any(place.running for place in places)
    return (8, NextStep("Up to date")) if has_release else (7, NextStep("Nothing runs yet"))


def _step_of(line: PromotionLine, mine: frozenset[int], at: datetime) -> tuple[int, NextStep]:
    promotion: Promotion = line.promotion
    number, age = promotion.pk, format_age(at - promotion.asked_at)
    if line.stuck_because:
        return 1, NextStep(f"Stuck {age}", "blocked", number)
    if number in mine:
        return 0, NextStep("Your approval", "waiting", number)
    if promotion.state == State.RUNNING:
        run = line.current_step
        place = line.steps.index(run) + 1 if run else len(line.steps)
        return 2, NextStep(f"Step {place} of {len(line.steps)}", "running", number)
    first = line.holding[0] if line.holding else None
    if first is None:
        return 5, NextStep("Waiting", "waiting", number)
    if first.result.earliest and first.result.earliest > at:
        left = format_age(first.result.earliest - at)
        return 5, NextStep(f"{first.title}, {left} left", "waiting", number)
    return 5, NextStep(first.title, "waiting", number)
