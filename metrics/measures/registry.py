"""The key measures by name, in the order of the standard."""

from datetime import datetime

from metrics.measures import (
    automated_share,
    build_to_production,
    failures,
    first_pass,
    traceability,
)
from metrics.measures.base import END_OF_TIME, Filters, Record
from metrics.measures.history import History
from metrics.measures.periods import Period
from metrics.measures.results import Measure, Question, Result

MEASURES: dict[str, Measure] = {
    automated_share.NAME: automated_share,
    first_pass.NAME: first_pass,
    build_to_production.NAME: build_to_production,
    traceability.NAME: traceability,
    failures.NAME: failures,
}


def compute_all(
    record: Record,
    period: Period,
    filters: Filters | None = None,
    as_of: datetime = END_OF_TIME,
) -> dict[str, Result]:
    """All key measures of one record, reading it once. O(n log n) in the facts."""
    history = History(record, as_of)
    question = Question(period=period, filters=filters or Filters())
    return {name: measure.compute(history, question) for name, measure in MEASURES.items()}
