"""One figure broken down by service, and told beside another period; pure."""

from collections import defaultdict
from collections.abc import Iterable

from metrics.described import COUNT, HOURS, Described
from metrics.measures.results import Row, Summary, summarise_share
from metrics.statistics import (
    Comparison,
    compare_counts,
    compare_shares,
    garwood,
    measure_percentile,
)


def summarise_rows(described: Described, rows: Iterable[Row]) -> Summary:
    """The figure over some rows of a measure: a fraction, a median in hours, or a count.

    Intervals as the measure's own: Wilson, order statistics, Garwood.
    """
    found = list(rows)
    if described.unit == HOURS:
        ordered = sorted(row.hours for row in found if row.hours is not None)
        median = measure_percentile(ordered, 0.5)
        return Summary(len(ordered), None, median.value, median.interval)
    if described.unit == COUNT:
        mature = [row for row in found if row.mature]
        count = sum(row.good for row in mature)
        if not mature:
            return Summary(0, None, None, None)
        return Summary(len(mature), count, float(count), garwood(count))
    return summarise_share(found)


def group_by_service(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of each service, by its name."""
    held: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        held[row.service].append(row)
    return dict(sorted(held.items()))


def compare(described: Described, before: Summary, after: Summary) -> Comparison | None:
    """Shares by their difference, counts by the ratio of their rates; None where n < 5.

    Medians are compared by their intervals only, so a page tells their difference and no
    verdict: None.
    """
    if described.unit == HOURS or before.n < 5 or after.n < 5:
        return None
    first, second = int(before.numerator or 0), int(after.numerator or 0)
    if described.unit == COUNT:
        if not first + second:
            return None
        return compare_counts((first, before.n), (second, after.n))
    return compare_shares((first, before.n), (second, after.n))
