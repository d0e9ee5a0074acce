"""Sums by day, packed: columns of counts, and durations one by one or counted in bins.

A duration falls into one of a row of bins, each 1.5 % wider than the one before, and is read
again as the middle of its bin: off by at most 0.75 %. Below 3.6 ms it counts as none. Bins of
the same width everywhere is what lets sums of sums be sums.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
WIDTH = 1.015
SMALLEST = 1e-6  # hours
HEAD = 4  # bytes that tell how long the head is


def find_bins(values: Floats) -> Ints:
    """The bin of each duration in hours (≥ 0); 0 below the smallest."""
    found = np.zeros(len(values), np.int64)
    large = values > SMALLEST
    found[large] = 1 + np.floor(np.log(values[large] / SMALLEST) / np.log(WIDTH)).astype(np.int64)
    return found


def read_bins(bins: Ints) -> Floats:
    """The duration, in hours, that stands for each bin: its geometric middle."""
    return np.where(bins == 0, 0.0, SMALLEST * WIDTH ** (bins - 0.5))


@dataclass(frozen=True, slots=True)
class Binned:
    """How many durations (`n`) of a day lie in a bin, in order of day and bin."""

    days: Ints
    bins: Ints
    n: Ints


@dataclass(frozen=True, slots=True)
class Table:
    """Counts by day (ordinals, ascending) and column, and the durations of each series.

    A series is in `values` (its days, and hours one by one) or in `binned`.
    """

    columns: tuple[str, ...]
    days: Ints
    counts: Ints
    values: dict[str, tuple[Ints, Floats]] = field(default_factory=dict)
    binned: dict[str, Binned] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return not (len(self.days) or self.values or self.binned)


EMPTY = Table((), np.zeros(0, np.int64), np.zeros((0, 0), np.int64))


class Counting:
    """A table while it is counted."""

    def __init__(self) -> None:
        self._days: dict[int, Counter[str]] = {}
        self._columns: dict[str, None] = {}
        self._values: dict[str, list[tuple[int, float]]] = {}

    def add(self, day: date, counts: dict[str, int], values: dict[str, float]) -> None:
        """One unit."""
        ordinal = day.toordinal()
        self._days.setdefault(ordinal, Counter()).update(counts)
        self._columns.update(dict.fromkeys(counts))
        for name, value in values.items():
            self._values.setdefault(name, []).append((ordinal, value))

    def table(self) -> Table:
        """What was counted; columns without any count are left out."""
        days = sorted(self._days)
        columns = tuple(
            name for name in self._columns if any(count[name] for count in self._days.values())
        )
        counts = np.array(
            [[self._days[day][name] for name in columns] for day in days], np.int64
        ).reshape(len(days), len(columns))
        values = {}
        for name, found in self._values.items():
            found.sort()
            values[name] = (
                np.array([day for day, _ in found], np.int64),
                np.array([value for _, value in found], np.float64),
            )
        return Table(columns, np.array(days, np.int64), counts, values)


def bin_table(table: Table) -> Table:
    """The same with every duration in its bin."""
    binned = dict(table.binned)
    for name, (days, values) in table.values.items():
        binned[name] = _sum_bins(days, find_bins(values), np.ones(len(days), np.int64))
    return Table(table.columns, table.days, table.counts, {}, binned)


def _sum_bins(days: Ints, bins: Ints, n: Ints) -> Binned:
    keys, places = np.unique(days * 65536 + bins, return_inverse=True)
    sums = np.bincount(places, weights=n, minlength=len(keys)).astype(np.int64)
    kept = sums != 0
    return Binned(keys[kept] // 65536, keys[kept] % 65536, sums[kept])


def add_tables(tables: Iterable[tuple[Table, int]]) -> Table:
    """The sum of tables, each times 1 or −1; durations are binned. Days without counts fall out."""
    found = [(bin_table(table), sign) for table, sign in tables]
    columns = tuple(dict.fromkeys(name for table, _ in found for name in table.columns))
    place = {name: index for index, name in enumerate(columns)}
    days = np.unique(np.concatenate([table.days for table, _ in found])) if found else EMPTY.days
    counts = np.zeros((len(days), len(columns)), np.int64)
    for table, sign in found:
        rows = np.searchsorted(days, table.days)
        for index, name in enumerate(table.columns):
            counts[rows, place[name]] += sign * table.counts[:, index]
    binned = {}
    for name in dict.fromkeys(name for table, _ in found for name in table.binned):
        parts = [(table.binned[name], sign) for table, sign in found if name in table.binned]
        summed = _sum_bins(
            np.concatenate([part.days for part, _ in parts]),
            np.concatenate([part.bins for part, _ in parts]),
            np.concatenate([part.n * sign for part, sign in parts]),
        )
        if len(summed.days):
            binned[name] = summed
    rows_kept, columns_kept = counts.any(axis=1), counts.any(axis=0)
    kept = tuple(columns[index] for index in np.flatnonzero(columns_kept))
    return Table(kept, days[rows_kept], counts[rows_kept][:, columns_kept], {}, binned)


def pack(table: Table) -> bytes:
    """A table as bytes: a JSON head that says what follows, then the columns one by one."""
    origin = int(table.days[0]) if len(table.days) else 0
    body = [(table.days - origin).astype("<u2").tobytes()]
    kinds = []
    for index in range(len(table.columns)):
        column = table.counts[:, index]
        kind = _smallest(column)
        kinds.append(kind)
        body.append(column.astype(kind).tobytes())
    for days, values in table.values.values():
        body += [(days - origin).astype("<u2").tobytes(), values.astype("<f8").tobytes()]
    for each in table.binned.values():
        body += [
            (each.days - origin).astype("<u2").tobytes(),
            each.bins.astype("<u2").tobytes(),
            each.n.astype("<u4").tobytes(),
        ]
    head = json.dumps(
        {
            "origin": origin,
            "days": len(table.days),
            "columns": list(zip(table.columns, kinds, strict=True)),
            "values": {name: len(days) for name, (days, _) in table.values.items()},
            "binned": {name: len(each.days) for name, each in table.binned.items()},
        },
        separators=(",", ":"),
    ).encode()
    return b"".join((len(head).to_bytes(HEAD, "little"), head, *body))


def _smallest(column: Ints) -> str:
    low, high = int(column.min(initial=0)), int(column.max(initial=0))
    if low < 0:
        return "<i8"
    return "<u1" if high < 2**8 else "<u2" if high < 2**16 else "<u4" if high < 2**32 else "<i8"


def unpack(data: Any) -> Table:
    """The table that bytes of `pack` stand for."""
    found = bytes(data)
    start = HEAD + int.from_bytes(found[:HEAD], "little")
    head = json.loads(found[HEAD:start])
    origin, n = head["origin"], head["days"]

    def take(kind: str, count: int) -> NDArray[Any]:
        nonlocal start
        taken = np.frombuffer(found, kind, count, start)
        start += taken.nbytes
        return taken

    def take_days(count: int) -> Ints:
        days: Ints = take("<u2", count).astype(np.int64) + origin
        return days

    days = take_days(n)
    counts = np.empty((n, len(head["columns"])), np.int64)
    for index, (_, kind) in enumerate(head["columns"]):
        counts[:, index] = take(kind, n)
    values = {
        name: (take_days(count), take("<f8", count)) for name, count in head["values"].items()
    }
    binned = {
        name: Binned(
            take_days(count),
            take("<u2", count).astype(np.int64),
            take("<u4", count).astype(np.int64),
        )
        for name, count in head["binned"].items()
    }
    return Table(tuple(name for name, _ in head["columns"]), days, counts, values, binned)
