"""The step verify-http: asks an address for a time and needs n good answers of every m."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import httpx

from promotion.integrity.calling import address_problems, authorize, connection_of, locate
from promotion.integrity.outgoing import open_client
from promotion.rules.settings import Problem, check_statuses, sets_of, unknown_keys

from .base import Looking, StepResult
from .tries import DEFAULT_GOOD, Tried, tries_problems, try_once

SETTINGS = ("url", "connection", "path", "for", "good", "expect", "every")
DEFAULT_EVERY = "5s"
DEFAULT_EXPECT = (200,)
# One slow answer must not use up the time of many tries.
CALL_TIMEOUT = httpx.Timeout(10.0, connect=5.0)


class VerifyHttpStep:
    """One try at a time, no worker held in between; a try is good where every address answers well."""

    kind = "verify-http"
    title = "Verify by HTTP"
    default_timeout: timedelta | None = None  # its tries have an end of their own
    is_verification = True

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`url`, or `connection` and `path`, is needed."""
        yield from unknown_keys(self.kind, settings, SETTINGS)
        yield from address_problems(settings)
        yield from tries_problems(settings)
        yield from check_statuses(settings)

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'9 of 10 at staging.example.com'."""
        first = sets_of(inputs)[0]
        at = first.get("connection") or httpx.URL(str(first.get("url", ""))).host
        return f"{first.get('good', DEFAULT_GOOD)} at {at}"

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: it only reads."""
        return True

    def start(self, context: Looking) -> StepResult:
        """The first try; raises AddressRefusedError and InputError, and nothing for a bad answer."""
        return try_once(context, _ask, every=DEFAULT_EVERY, before={})

    def look(self, context: Looking) -> StepResult:
        """One try more, judged with those before."""
        return try_once(context, _ask, every=DEFAULT_EVERY, before=context.state)


def _ask(inputs: Mapping[str, Any]) -> Tried:
    connection = connection_of(inputs)
    url = locate(inputs, connection)
    expected = tuple(inputs.get("expect") or DEFAULT_EXPECT)
    try:
        with open_client(timeout=CALL_TIMEOUT) as client:
            headers = {**authorize(connection), "Cache-Control": "no-cache"}
            request = client.build_request("GET", url, headers=headers)
            # Only the status counts, so the body is not waited for.
            response = client.send(request, stream=True)
            response.close()
    except httpx.TransportError as error:
        return Tried(False, _describe(error))
    return Tried(response.status_code in expected, str(response.status_code))


def _describe(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return "not reached" if isinstance(error, httpx.ConnectError) else type(error).__name__
