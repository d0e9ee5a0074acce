"""What every export says of itself: definition, period, filters, as-of; and the figures as plain data."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from metrics.figure import Figure
from metrics.forms import Asked
from metrics.measures.failures import Failures
from metrics.measures.results import DEFINITION, Bucket
from metrics.spreadsheets import write_csv
from metrics.statistics import Interval

FILTERS = ("team", "service", "environment", "kind")
HEAD_COLUMNS = ("definition", "from", "to", "zone", "as_of", "filters")
FIGURE_COLUMNS = (
    "measure",
    "unit",
    "value",
    "numerator",
    "n",
    "low",
    "high",
    "rate",
    "rate_low",
    "rate_high",
    "target",
    "verdict",
    "provisional",
    "no_data",
)
POINT_COLUMNS = (
    "measure",
    "unit",
    "first_day",
    "day_after",
    "value",
    "numerator",
    "n",
    "low",
    "high",
    "provisional",
)


def write_time(at: datetime | None) -> str:
    """RFC 3339 in UTC; empty where there is none."""
    return "" if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def write_filters(asked: Asked) -> str:
    """The filters as `team=… kind=…`; empty where nothing is narrowed."""
    query = asked.query()
    return " ".join(f"{name}={query[name]}" for name in FILTERS if name in query)


def write_head(asked: Asked) -> dict[str, str]:
    """Definition version, period (days, the last not in it), zone, as-of and filters."""
    return {
        "definition": DEFINITION,
        "from": asked.period.from_.isoformat(),
        "to": asked.period.to.isoformat(),
        "zone": asked.period.zone,
        "as_of": write_time(asked.as_of),
        "filters": write_filters(asked),
    }


def name_headers(asked: Asked) -> dict[str, str]:
    """The same as headers of an answer, so that a program need not read the body for it."""
    head = write_head(asked)
    return {f"Throughline-{name.replace('_', '-').title()}": text for name, text in head.items()}


def write_lines(
    asked: Asked, columns: Sequence[str], lines: Iterable[Sequence[Any]]
) -> Iterator[str]:
    """CSV of which every line carries what the export says of itself, after its own cells."""
    head = write_head(asked).values()
    yield from write_csv([[*columns, *HEAD_COLUMNS]])
    yield from write_csv([*line, *head] for line in lines)


def line_of(figure: Figure) -> tuple[Any, ...]:
    """One measure under FIGURE_COLUMNS; what is not known stays empty, never 0."""
    described, result = figure.described, figure.result
    rate, interval = None, None
    if isinstance(result, Failures):
        rate, interval = result.rate, result.rate_interval
    return (
        described.name,
        described.unit,
        result.value,
        result.numerator,
        result.n,
        *bounds(result.interval),
        rate,
        *bounds(interval),
        figure.target,
        figure.verdict,
        result.provisional,
        result.no_data,
    )


def lines_of_series(figure: Figure) -> Iterator[tuple[Any, ...]]:
    """The points of a measure under POINT_COLUMNS."""
    for bucket in figure.buckets:
        yield (figure.described.name, figure.described.unit, *_point(bucket))


def _point(bucket: Bucket) -> tuple[Any, ...]:
    return (
        bucket.period.from_.isoformat(),
        bucket.period.to.isoformat(),
        bucket.value,
        bucket.numerator,
        bucket.n,
        *bounds(bucket.interval),
        bucket.provisional,
    )


def bounds(interval: Interval | None) -> tuple[float | None, float | None]:
    """Both ends; None where it is open or there is none."""
    return (None, None) if interval is None else (interval.low, interval.high)
