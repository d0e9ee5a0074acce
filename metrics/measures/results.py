"""What every measure answers with, and the Protocol it follows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from metrics.measures.base import Filters
from metrics.measures.periods import Buckets, Period
from metrics.statistics import Interval, wilson

if TYPE_CHECKING:
    from metrics.measures.history import History

DEFINITION = "v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: over which days, narrowed to what."""

    period: Period
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One unit behind a figure.

    `at` is the time it is counted by; `also_at` further times, where a unit belongs to
    every bucket it was seen in. `good`: in the numerator. `mature`: its watch window is
    over. `hours` is its duration, where the measure has one. `details` are pairs of a
    word and a value for the page.
    """

    unit: str
    service: str
    environment: str
    digest: str
    at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    verdict: str = ""
    reason: str = ""
    good: bool = False
    mature: bool = True
    hours: float | None = None
    ids: tuple[str, ...] = ()
    also_at: tuple[datetime, ...] = ()
    details: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What was not counted in the period, and why; never dropped in silence."""

    restarts: tuple[str, ...] = ()
    dry_runs: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    backfilled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One figure with all that is needed to check it.

    `value` is a fraction, or hours for durations; None where there is no data, with the
    reason in `no_data`. `immature` units are in `rows` and not in `n`.
    """

    measure: str
    definition: str = DEFINITION
    period: Period
    filters: Filters
    as_of: datetime
    n: int
    numerator: float | None
    denominator: int
    value: float | None
    interval: Interval | None
    rows: tuple[Row, ...]
    immature: int = 0
    provisional: bool = False
    no_data: str | None = None
    beside: Beside = field(default_factory=Beside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One point of a series; a gap has `value` None, never 0.

    `provisional`: it holds units whose watch window still runs, or has not ended itself.
    """

    period: Period
    n: int
    numerator: float | None
    value: float | None
    interval: Interval | None
    provisional: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """The figure over some rows: n, numerator, value and interval."""

    n: int
    numerator: float | None
    value: float | None
    interval: Interval | None


class Measure(Protocol):
    """What each measure offers; the modules of this package are such measures."""

    NAME: str

    def compute(self, history: "History", question: Question) -> Result:
        """The figure for a question."""
        ...

    def series(self, result: Result, step: str) -> tuple[Bucket, ...]:
        """The same figure by day, week or month, from the rows of a result."""
        ...


def summarise_share(rows: Iterable[Row]) -> Summary:
    """Good ÷ all of the mature rows, with a Wilson interval."""
    counted = [row for row in rows if row.mature]
    good = sum(row.good for row in counted)
    if not counted:
        return Summary(0, None, None, None)
    return Summary(len(counted), good, good / len(counted), wilson(good, len(counted)))


def build_series(
    result: Result, step: str, summarise: Callable[[list[Row]], Summary]
) -> tuple[Bucket, ...]:
    """The rows of a result, each put into its bucket once, and each bucket summarised."""
    buckets = Buckets(result.period, step)
    held: list[list[Row]] = [[] for _ in buckets.parts]
    for row in result.rows:
        found = {buckets.index_of(at) for at in (row.at, *row.also_at)}
        for index in sorted(place for place in found if place is not None):
            held[index].append(row)
    series = []
    for part, rows in zip(buckets.parts, held, strict=True):
        summary = summarise(rows)
        unripe = any(not row.mature for row in rows)
        series.append(
            Bucket(
                period=part,
                n=summary.n,
                numerator=summary.numerator,
                value=summary.value,
                interval=summary.interval,
                provisional=unripe or part.ends_at > result.as_of,
            )
        )
    return tuple(series)


class Known(Protocol):
    """What is known at all, whatever the period and filters."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing had been received at all."""
        ...

    @property
    def has_mapped(self) -> bool:
        """Whether any fact is of a known service and environment."""
        ...

    @property
    def has_unmapped(self) -> bool:
        """Whether any is not."""
        ...


def explain_no_data(known: Known, filters: Filters, immature: int) -> str:
    """Why a figure has no units, in one sentence."""
    if immature:
        return "Too early: the watch window of every unit in this period still runs."
    if known.is_empty:
        return "No events had been received by then."
    if not known.has_mapped and known.has_unmapped:
        return "No mapping: events came in, and none is of a known service and environment."
    if filters != Filters():
        return "Nothing in this period fits the filter."
    return "No events of this kind in this period."


def state_shared(
    name: str,
    history: "History",
    question: Question,
    rows: tuple[Row, ...],
    summary: Summary,
    beside: Beside,
) -> dict[str, Any]:
    """The fields that every result has, by name, from its rows and their summary."""
    immature = sum(not row.mature for row in rows)
    return {
        "measure": name,
        "period": question.period,
        "filters": question.filters,
        "as_of": history.as_of,
        "n": summary.n,
        "numerator": summary.numerator,
        "denominator": summary.n,
        "value": summary.value,
        "interval": summary.interval,
        "rows": rows,
        "immature": immature,
        "provisional": immature > 0,
        "no_data": None
        if summary.n
        else explain_no_data(history.knowledge, question.filters, immature),
        "beside": beside,
    }
