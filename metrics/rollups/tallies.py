"""Sums over days: what was counted in a time, and the durations in it. Pure."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import overload

import numpy as np

from metrics.statistics import SurvivalCurve

from .packing import Binned, Floats, Ints, Table, find_bins, read_bins

EXACT_UP_TO = 10_000  # definition v1: so many durations are read one by one


class Durations(Sequence[float]):
    """Durations in hours, ascending; one by one, or the middles of the bins they were counted in."""

    def __init__(self, values: Floats, n: Ints | None = None) -> None:
        self._values, self._n = values, n
        self._until = None if n is None else np.cumsum(n)

    @property
    def is_exact(self) -> bool:
        """Whether they are the durations themselves."""
        return self._n is None

    def __len__(self) -> int:
        if self._until is None:
            return len(self._values)
        return int(self._until[-1]) if len(self._until) else 0

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[float]: ...
    def __getitem__(self, index: int | slice) -> float | Sequence[float]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        if self._until is None:
            return float(self._values[index])
        return float(self._values[np.searchsorted(self._until, index, side="right")])

    def groups(self) -> tuple[Floats, Ints]:
        """The different durations, ascending, and how often each is there."""
        if self._n is not None:
            return self._values, self._n
        values, n = np.unique(self._values, return_counts=True)
        return values, n.astype(np.int64)


NOTHING = Durations(np.zeros(0))


@dataclass(slots=True)
class Tally:
    """What was counted in a time, by column, and durations by series."""

    counts: Counter[str] = field(default_factory=Counter)
    durations: dict[str, Durations] = field(default_factory=dict)

    def of(self, column: str) -> int:
        """A count."""
        return self.counts[column]

    def named(self, prefix: str) -> dict[str, int]:
        """The counts whose column begins so, by the rest of its name, in order."""
        start = len(prefix) + 1
        return {
            name[start:]: count
            for name, count in self.counts.items()
            if name.startswith(f"{prefix}:") and count
        }

    def hours(self, series: str) -> Durations:
        """The durations of a series."""
        return self.durations.get(series, NOTHING)


def tally_days(
    tables: Iterable[Table], edges: Sequence[date], series: Iterable[str] = ()
) -> list[Tally]:
    """One tally for each stretch between two edges (days), the first edge in it, the last not."""
    found = list(tables)
    ordinals = np.array([edge.toordinal() for edge in edges], np.int64)
    tallies = [Tally() for _ in edges[1:]]
    for table in found:
        _count(table, ordinals, tallies)
    for name in series:
        for tally, hours in zip(tallies, _collect(found, ordinals, name), strict=True):
            if len(hours):
                tally.durations[name] = hours
    return tallies


def _count(table: Table, ordinals: Ints, tallies: list[Tally]) -> None:
    places = np.searchsorted(ordinals, table.days, side="right") - 1
    inside = (places >= 0) & (places < len(tallies))
    if not inside.any():
        return
    sums = np.zeros((len(tallies), len(table.columns)), np.int64)
    np.add.at(sums, places[inside], table.counts[inside])
    for place in np.flatnonzero(sums.any(axis=1)):
        counts = tallies[place].counts
        for name, count in zip(table.columns, sums[place].tolist(), strict=True):
            counts[name] += count


def _collect(tables: list[Table], ordinals: Ints, name: str) -> list[Durations]:
    """The durations of one series by stretch; in bins where any of them is."""
    binned = [table.binned[name] for table in tables if name in table.binned]
    values = [table.values[name] for table in tables if name in table.values]
    if binned:
        return _collect_binned(binned, values, ordinals)
    if not values:
        return [NOTHING] * (len(ordinals) - 1)
    days = np.concatenate([each[0] for each in values])
    hours = np.concatenate([each[1] for each in values])
    order = np.lexsort((hours, np.searchsorted(ordinals, days, side="right")))
    places, hours = np.searchsorted(ordinals, days[order], side="right") - 1, hours[order]
    starts = np.searchsorted(places, np.arange(len(ordinals)))
    return [Durations(hours[start:end]) for start, end in itertools.pairwise(starts)]


def _collect_binned(
    binned: list[Binned], values: list[tuple[Ints, Floats]], ordinals: Ints
) -> list[Durations]:
    days = np.concatenate([*(each.days for each in binned), *(each[0] for each in values)])
    bins = np.concatenate([*(each.bins for each in binned), *(find_bins(v) for _, v in values)])
    n = np.concatenate(
        [*(each.n for each in binned), *(np.ones(len(v), np.int64) for _, v in values)]
    )
    places = np.searchsorted(ordinals, days, side="right") - 1
    highest = int(bins.max(initial=0)) + 1
    inside = (places >= 0) & (places < len(ordinals) - 1)
    grid = np.bincount(
        places[inside] * highest + bins[inside],
        weights=n[inside],
        minlength=(len(ordinals) - 1) * highest,
    )
    found = []
    for row in grid.reshape(-1, highest).astype(np.int64):
        there = np.flatnonzero(row)
        found.append(Durations(read_bins(there), row[there]))
    return found


def add_counts(tally: Tally, counts: Mapping[str, int], sign: int = 1) -> None:
    """Adds counts to a tally, or takes them from it."""
    for name, count in counts.items():
        tally.counts[name] += sign * count


def curve_of(events: Durations, censored: Durations) -> SurvivalCurve:
    """Kaplan–Meier over counted durations: `events` ended by the event, `censored` did not.

    As `metrics.statistics.kaplan_meier`: what is censored at the time of an event was at risk.
    """
    times, n = events.groups()
    open_times, open_n = censored.groups()
    whole = len(events) + len(censored)
    left = np.concatenate([[0], np.cumsum(open_n)])
    gone = left[np.searchsorted(open_times, times, side="left")] + np.cumsum(n) - n
    remaining = np.cumprod(1 - n / (whole - gone)) if len(times) else times
    return SurvivalCurve(tuple(times.tolist()), tuple(remaining.tolist()), whole)
