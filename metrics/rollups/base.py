"""What figures are made of, and the Protocol of where it is read from."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from metrics.measures.knowledge import SetAside
from metrics.measures.periods import Span
from metrics.measures.results import Row
from metrics.models import CohortFact, ExecutionFact, IncidentFact, Rollup, TargetFact, TraceFact

from .counting import Slot
from .packing import Table
from .rows import times_of


@dataclass(frozen=True, slots=True)
class Where:
    """What is asked for: environments and kind (None: any), and services (keys; None: all).

    `scope` and `scope_key` name the sum that has just these services.
    """

    environments: frozenset[str] | None
    kind: str | None
    services: tuple[int, ...] | None
    scope: str = Rollup.Scope.ALL
    scope_key: int = 0

    def holds(self, environment: str, kind: str) -> bool:
        """Whether a unit of this place and kind is asked for."""
        in_place = self.environments is None or environment in self.environments
        return in_place and self.kind in (None, kind)


@dataclass(frozen=True, slots=True)
class Summed:
    """The sum of one slot; `service` is its key in sums by service."""

    service: int
    slot: Slot
    table: Table


@dataclass(frozen=True, slots=True)
class Unripe:
    """What is counted by day, and does not count yet: the watch window runs."""

    service: int
    environment: str
    day: date
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of a measure, and in what order."""

    span: Span
    verdict: str = ""
    sort: str = "at"
    is_ascending: bool = True


class Store(Protocol):
    """What figures need; times are those the measures count by."""

    def sums(self, measure: str, where: Where, days: tuple[date, date]) -> list[Summed]:
        """The sums of the services together."""
        ...

    def service_sums(
        self, measure: str, where: Where, days: tuple[date, date], services: Collection[int] | None
    ) -> list[Summed]:
        """The sums of each service, of those named (None: of all in `where`)."""
        ...

    def unripe(self, measure: str, where: Where, span: Span, as_of: datetime) -> list[Unripe]:
        """Units of measures 2 and 5 whose watch window runs at `as_of`, summed by day."""
        ...

    def failed(self, where: Where, span: Span) -> Iterable[ExecutionFact]:
        """The production executions judged failed."""
        ...

    def recurring(self, where: Where, span: Span) -> list[TraceFact]:
        """The releases that are counted by several times, any of them in the span."""
        ...

    def built(self, where: Where, span: Span) -> Iterable[CohortFact]:
        """The digests that were built."""
        ...

    def incidents(self, where: Where, span: Span) -> list[IncidentFact]:
        """The production incidents that are no failure of a deployment."""
        ...

    def targets(self, where: Where) -> list[TargetFact]:
        """The production targets."""
        ...

    def rows(
        self, measure: str, where: Where, wanted: Wanted, as_of: datetime, part: slice
    ) -> list[Row]:
        """A part of the rows."""
        ...

    def sample(
        self, measure: str, where: Where, span: Span, as_of: datetime, level: int
    ) -> list[Row]:
        """The rows of a level and above, in order of time."""
        ...

    def aside(self, cause: str, where: Where, span: Span, part: slice) -> list[SetAside]:
        """A part of the facts that are counted beside, in the order of their ids."""
        ...


def is_within(fact: TraceFact, span: Span) -> bool:
    """Whether any of the times a release is counted by lies in the span."""
    return any(span.holds(at) for at in times_of(fact))


def put_within(row: Row, span: Span) -> Row:
    """A row that is counted by several times, by those in the span only."""
    if not row.also_at:
        return row
    times = sorted(at for at in (row.at, *row.also_at) if span.holds(at))
    return Row(
        **{
            **{name: getattr(row, name) for name in Row.__dataclass_fields__},
            "at": times[0],
            "also_at": tuple(times[1:]),
        }
    )


SORTS: dict[str, Any] = {
    "at": lambda row: (row.at, row.unit),
    "service": lambda row: (row.service, row.at, row.unit),
    "environment": lambda row: (row.environment, row.at, row.unit),
    "verdict": lambda row: (row.verdict, row.at, row.unit),
    "hours": lambda row: (row.hours if row.hours is not None else -1.0, row.at, row.unit),
}
