"""The acts of the history in the order of time, and the versions that releases have."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

Do = Callable[[], object]
WORK_BEGINS, WORK_ENDS = 7, 16  # UTC; the organisation's people are in central Europe


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happened at a time."""

    at: datetime
    do: Do


@dataclass(slots=True)
class Timeline:
    """Collects acts; those after the end of the history are refused, since they are yet to come."""

    begins_at: datetime
    ends_at: datetime
    acts: list[Act] = field(default_factory=list)

    def add(self, at: datetime, do: Do) -> None:
        """Notes that it happened then."""
        if at > self.ends_at:
            raise ValueError(f"{at} is after the history's end, {self.ends_at}.")
        self.acts.append(Act(at, do))

    def in_order(self) -> list[Act]:
        """By time; of one instant in the order they were told."""
        return sorted(self.acts, key=lambda act: act.at)


def working_time(at: datetime) -> datetime:
    """The same time if people work then, else the next morning of a working day."""
    at = at.astimezone(UTC)
    if at.hour >= WORK_ENDS:
        at = _morning(at + timedelta(days=1), at)
    elif at.hour < WORK_BEGINS:
        at = _morning(at, at)
    while at.weekday() >= 5:
        at = _morning(at + timedelta(days=1), at)
    return at


def _morning(day: datetime, like: datetime) -> datetime:
    # The minutes stay, so that not everything happens on the stroke of the hour.
    return day.replace(hour=WORK_BEGINS, minute=like.minute, second=like.second)


def list_versions(newest: str, count: int) -> list[str]:
    """So many versions in a row, oldest first, the last of them the newest."""
    versions = [newest]
    for version in _before(newest):
        if len(versions) >= count:
            break
        versions.append(version)
    return versions[::-1]


def _before(version: str) -> Iterator[str]:
    major, minor, patch = (int(part) for part in version.split("."))
    while True:
        if patch:
            patch -= 1
        elif minor:
            # How many patches a minor version had differs, but is always the same.
            minor -= 1
            patch = (minor * 7 + 3) % 4
        else:
            major, minor, patch = max(major - 1, 0), 40, 2
        yield f"{major}.{minor}.{patch}"
