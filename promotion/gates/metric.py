"""The metric gate: a Prometheus query compares as asked."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from promotion.integrity.connecting import find_connection
from promotion.integrity.prometheus import COMPARISONS, QueryError, compare_query, query_problems
from promotion.models import Connection
from promotion.rules.settings import Problem, unknown_keys

from .base import GateContext, GateOutcome, Verdict
from .filled import fill_settings

LOOK_AGAIN_IN = timedelta(minutes=1)
FRESH_FOR = timedelta(minutes=1)


class MetricGate:
    """Open while every series of the query compares; else waiting, without data, too."""

    kind = "metric"
    title = "Metric"
    is_costly = True

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`connection`, `query` and one comparison are needed."""
        known = ("connection", "query", *COMPARISONS)
        yield from unknown_keys(self.kind, settings, known, what="gate")
        yield from query_problems(settings)

    def evaluate(self, context: GateContext) -> GateOutcome:
        """Open or waiting; raises UnreachableError, AddressRefusedError, InputError."""
        settings = fill_settings(context)
        connection = find_connection(str(settings["connection"]), Connection.Kind.PROMETHEUS)
        try:
            compared = compare_query(connection, settings, context.at)
        except QueryError as error:
            # A query that cannot be answered now may be once its series are there.
            return GateOutcome(Verdict.WAITING, error.sentence, look_again_in=LOOK_AGAIN_IN)
        reason = f"{str(settings['query'])[:200]} is {compared.said}."
        if compared.is_good:
            return GateOutcome(Verdict.OPEN, reason, fresh_for=FRESH_FOR)
        return GateOutcome(Verdict.WAITING, reason, look_again_in=LOOK_AGAIN_IN)
