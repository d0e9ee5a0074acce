"""Asking Prometheus for the value of a query, by its HTTP API.

The API is described at prometheus.io/docs/prometheus/latest/querying/api.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from promotion.exceptions import ThroughlineError, UnreachableError
from promotion.integrity.calling import log_in, read_answer
from promotion.integrity.outgoing import open_client
from promotion.models import Connection
from promotion.rules.settings import Problem, check_text, need_text

CALL_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
COMPARISONS = ("below", "above", "equals")


class QueryError(ThroughlineError):
    """Prometheus refused the query or gave what has no single value; asking again does not help."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Whether every series compares as asked, and the values in a phrase. No series is not good."""

    is_good: bool
    said: str


def query_problems(
    settings: Mapping[str, Any], comparisons: tuple[str, ...] = COMPARISONS
) -> Iterator[Problem]:
    """`connection`, `query` and exactly one comparison with a number are needed."""
    yield from need_text(settings, "connection", what="the name of a Prometheus connection")
    yield from need_text(settings, "query", what="a query in PromQL")
    yield from check_text(settings, "query", what="a query in PromQL")
    given = [name for name in comparisons if settings.get(name) is not None]
    if len(given) != 1:
        yield comparisons[0], f"One of {', '.join(comparisons)} says how the value must compare."
    for name in given:
        value = settings[name]
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            yield name, f"{name} must be a number."


def compare_query(connection: Connection, settings: Mapping[str, Any], at: datetime) -> Compared:
    """Ask for the query's value at that time and compare it.

    Raises UnreachableError where another try may help, QueryError, AddressRefusedError.
    """
    values = ask_prometheus(connection, str(settings["query"]), at)
    name = next(one for one in COMPARISONS if settings.get(one) is not None)
    limit = float(settings[name])
    said = ", ".join(f"{value:g}" for value in values[:3]) or "no data"
    more = f" and {len(values) - 3} more" if len(values) > 3 else ""
    is_good = bool(values) and all(_compares(value, name, limit) for value in values)
    return Compared(is_good, f"{said}{more}, asked for {name} {limit:g}")


def ask_prometheus(connection: Connection, query: str, at: datetime) -> tuple[float, ...]:
    """The value of each series of an instant query; NaN where a division had nothing to divide.

    Raises UnreachableError, QueryError, AddressRefusedError.
    """
    url = f"{connection.address.rstrip('/')}/api/v1/query"
    form = {"query": query, "time": f"{at.timestamp():.3f}", "timeout": "15s"}
    try:
        with open_client(timeout=CALL_TIMEOUT) as client:
            request = client.build_request("POST", url, data=form, headers=log_in(connection))
            answer = read_answer(client, request)
    except httpx.HTTPError as error:
        raise UnreachableError(
            f"{connection.name} did not answer ({type(error).__name__}). It is asked again."
        ) from error
    told = answer.json()
    if isinstance(told, Mapping) and told.get("status") == "success" and answer.status == 200:
        return tuple(_values_in(told.get("data")))
    said = str(told.get("error", ""))[:300] if isinstance(told, Mapping) else ""
    # By the API's description 400 and 422 speak of the query; all else is the server's own trouble.
    if answer.status in (400, 422) and said:
        raise QueryError(f"{connection.name} refuses the query: {said}. Correct the pipeline.")
    raise UnreachableError(
        f"{connection.name} answered {answer.status}{': ' if said else ''}{said}. It is asked again."
    )


def _values_in(data: Any) -> Iterator[float]:
    kind = data.get("resultType") if isinstance(data, dict) else None
    result: Any = data.get("result") if isinstance(data, dict) else None
    try:
        if kind == "scalar":
            yield float(result[1])
        elif kind == "vector":
            for series in result:
                yield float(series["value"][1])
        else:
            raise QueryError(
                f"The query gives a {str(kind)[:20] or 'thing'} where one value for each series is"
                " needed. Correct the pipeline."
            )
    except (TypeError, KeyError, IndexError, ValueError) as error:
        raise UnreachableError("The answer is not one of Prometheus. It is asked again.") from error


def _compares(value: float, name: str, limit: float) -> bool:
    """Strictly; NaN compares with nothing."""
    if name == "below":
        return value < limit
    return value > limit if name == "above" else value == limit
