"""Flow: where the time of a promotion goes, what each gate cost and caught, who had a hand in it.

Definition: measures v1, "Also". Times are seconds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

APPROVAL, WINDOW = "approval", "window"
PEOPLE, WINDOWS, GATES, TURN, UNTOLD, RUNNING = (
    "people",
    "windows",
    "gates",
    "turn",
    "untold",
    "running",
)
PARTS = (PEOPLE, WINDOWS, GATES, TURN, UNTOLD, RUNNING)
REJECTED = "rejected"
CATCHES = frozenset((REJECTED, "expired", "cancelled"))


@dataclass(frozen=True, slots=True)
class Wait:
    """A stretch in which a gate, or one approval rule, held; without `until` up to the end of waiting."""

    gate: str
    rule: str
    since: datetime
    until: datetime | None = None
    was_closed: bool = False
    was_passed: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """A promotion that ended. `is_told`: its waits were kept from the time it was asked for."""

    state: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime
    waits: tuple[Wait, ...] = ()
    is_told: bool = True

    @property
    def waited_until(self) -> datetime:
        """When it started, or ended without."""
        return self.started_at or self.ended_at


@dataclass(frozen=True, slots=True)
class Held:
    """What one gate or approval rule cost a promotion.

    `alone` is the part in which nothing else held it: what it would have saved without the gate.
    `caught`: how the promotion ended, where it ended while this held it; else empty.
    """

    gate: str
    rule: str
    held: float
    alone: float
    was_closed: bool
    was_passed: bool
    caught: str


def split_course(course: Course) -> dict[str, float]:
    """The seconds of each of PARTS; they add up to the time from asking to the end.

    At each moment of waiting the first that applies: people (an approval lacks), windows, gates,
    its turn (no gate held it). Where waits were not kept, all waiting is untold.
    """
    parts = dict.fromkeys(PARTS, 0.0)
    for from_, to, holding in _cut(course):
        gates = {wait.gate for wait in holding}
        if not course.is_told:
            part = UNTOLD
        elif APPROVAL in gates:
            part = PEOPLE
        elif WINDOW in gates:
            part = WINDOWS
        else:
            part = GATES if gates else TURN
        parts[part] += (to - from_).total_seconds()
    if course.started_at is not None:
        parts[RUNNING] = (course.ended_at - course.started_at).total_seconds()
    return parts


def find_held(course: Course) -> tuple[Held, ...]:
    """What each gate and rule cost, in the order they began to hold; several stretches are one.

    A rejection is caught by the approval rules alone, an expiry or cancelling by all that held.
    """
    held: dict[tuple[str, str], float] = {}
    alone: dict[tuple[str, str], float] = {}
    for from_, to, holding in _cut(course):
        keys = {(wait.gate, wait.rule) for wait in holding}
        for key in keys:
            seconds = (to - from_).total_seconds()
            held[key] = held.get(key, 0.0) + seconds
            if len(keys) == 1:
                alone[key] = alone.get(key, 0.0) + seconds
    stretches: dict[tuple[str, str], list[Wait]] = {}
    for wait in sorted(course.waits, key=lambda each: each.since):
        stretches.setdefault((wait.gate, wait.rule), []).append(wait)
    return tuple(
        Held(
            gate=gate,
            rule=rule,
            held=held.get((gate, rule), 0.0),
            alone=alone.get((gate, rule), 0.0),
            was_closed=any(wait.was_closed for wait in waits),
            was_passed=any(wait.was_passed for wait in waits),
            caught=_find_caught(course, gate, waits),
        )
        for (gate, rule), waits in stretches.items()
    )


def _find_caught(course: Course, gate: str, waits: Iterable[Wait]) -> str:
    held_last = any(wait.until is None for wait in waits)
    if course.started_at is not None or not held_last or course.state not in CATCHES:
        return ""
    return course.state if course.state != REJECTED or gate == APPROVAL else ""


def _cut(course: Course) -> Iterator[tuple[datetime, datetime, list[Wait]]]:
    """The time of waiting, cut wherever a wait begins or ends, with what held in each piece."""
    begin, end = course.asked_at, course.waited_until
    times = {begin, end}
    for wait in course.waits:
        times |= {time for time in (wait.since, wait.until) if time and begin < time < end}
    ordered = sorted(times) if begin < end else []
    for from_, to in pairwise(ordered):
        yield (
            from_,
            to,
            [
                wait
                for wait in course.waits
                if wait.since <= from_ and (wait.until is None or wait.until >= to)
            ],
        )


@dataclass(frozen=True, slots=True)
class Act:
    """One thing a person did for a promotion: asked, decided, let go on, had repeated, stopped."""

    by: str
    at: datetime


def count_hand_offs(acts: Iterable[Act]) -> int:
    """How often the work went from one person to another, in the order of what they did."""
    ordered = [act.by for act in sorted(acts, key=lambda each: each.at)]
    return sum(one != other for one, other in pairwise(ordered))
