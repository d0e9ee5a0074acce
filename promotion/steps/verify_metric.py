"""The step verify-metric: asks Prometheus for a time and needs n good values of every m."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from promotion.exceptions import UnreachableError
from promotion.integrity.connecting import find_connection
from promotion.integrity.prometheus import compare_query, query_problems
from promotion.models import Connection
from promotion.rules.settings import Problem, sets_of, unknown_keys

from .base import Looking, StepResult
from .tries import Tried, tries_problems, try_once

SETTINGS = ("connection", "query", "below", "above", "for", "good", "every")
# Prometheus scrapes every 15 s to 1 min; asking more often gives the same value again.
DEFAULT_EVERY = "30s"


class VerifyMetricStep:
    """One query at a time, no worker held in between; every series must compare, no data is not good."""

    kind = "verify-metric"
    title = "Verify by metric"
    default_timeout: timedelta | None = None  # its tries have an end of their own
    is_verification = True

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`connection`, `query`, and one of `below` and `above` are needed."""
        yield from unknown_keys(self.kind, settings, SETTINGS)
        yield from query_problems(settings, ("below", "above"))
        yield from tries_problems(settings)

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'error_rate{…} below 0.005'."""
        first = sets_of(inputs)[0]
        name = "below" if first.get("below") is not None else "above"
        return f"{str(first.get('query', ''))[:80]} {name} {first.get(name, '')}"

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: it only reads."""
        return True

    def start(self, context: Looking) -> StepResult:
        """The first try; raises QueryError, AddressRefusedError and InputError, nothing for a bad value."""
        return _try(context, before={})

    def look(self, context: Looking) -> StepResult:
        """One try more, judged with those before."""
        return _try(context, before=context.state)


def _try(context: Looking, *, before: Mapping[str, Any]) -> StepResult:
    def ask(inputs: Mapping[str, Any]) -> Tried:
        connection = find_connection(str(inputs["connection"]), Connection.Kind.PROMETHEUS)
        try:
            compared = compare_query(connection, inputs, context.at)
        except UnreachableError as error:
            return Tried(False, error.sentence.rstrip("."))
        return Tried(compared.is_good, compared.said)

    return try_once(context, ask, every=DEFAULT_EVERY, before=before)
