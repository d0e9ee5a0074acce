"""The step verify-http: asks an address for a time and needs n good answers of every m."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from promotion.exceptions import InputError
from promotion.integrity.outgoing import open_client
from promotion.rules.durations import parse_duration

from .base import Outcome, StepContext, StepResult
from .calling import address_problems, authorize, connection_of, locate
from .settings import Problem, check_duration, check_statuses, sets_of, unknown_keys

SETTINGS = ("url", "connection", "path", "for", "good", "expect", "every")
DEFAULT_GOOD = "9 of 10"
DEFAULT_EVERY = "5s"
DEFAULT_EXPECT = (200,)
MOST_TRIES = 1000
_GOOD = re.compile(r"(\d{1,4}) of (\d{1,4})", re.ASCII)
# One slow answer must not use up the time of many tries.
CALL_TIMEOUT = httpx.Timeout(10.0, connect=5.0)


@dataclass(frozen=True, slots=True)
class Rule:
    """Of any `of` tries in a row `good` must be good, until `length` has passed (at least `of` tries)."""

    good: int
    of: int
    every: timedelta
    length: timedelta


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
        yield from check_duration(settings, "for")
        yield from check_duration(settings, "every")
        yield from check_statuses(settings)
        yield from _good_problems(settings.get("good"))

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'9 of 10 at staging.example.com'."""
        first = sets_of(inputs)[0]
        at = first.get("connection") or httpx.URL(str(first.get("url", ""))).host
        return f"{first.get('good', DEFAULT_GOOD)} at {at}"

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: it only reads."""
        return True

    def start(self, context: StepContext) -> StepResult:
        """The first try; raises AddressRefusedError and InputError, and nothing for a bad answer."""
        return _try(context, tries=[], count=0, good=0)

    def look(self, context: StepContext) -> StepResult:
        """One try more, judged with those before."""
        state = context.state
        return _try(
            context,
            tries=list(state.get("tries", [])),
            count=int(state.get("count", 0)),
            good=int(state.get("good", 0)),
        )


def _try(context: StepContext, *, tries: list[dict[str, Any]], count: int, good: int) -> StepResult:
    each = sets_of(context.inputs)
    rule = _rule_of(each[0])
    found = [_ask(one) for one in each]
    is_good = all(one["is_good"] for one in found)
    said = ", ".join(str(one["said"]) for one in found)
    tries = [*tries, {"at": context.at.isoformat(), "is_good": is_good, "said": said}][-rule.of :]
    state = {"tries": tries, "count": count + 1, "good": good + is_good}
    return _judge(rule, state, passed=context.at - context.begun_at)


def _judge(rule: Rule, state: dict[str, Any], *, passed: timedelta) -> StepResult:
    tries = state["tries"]
    bad = [one for one in tries if not one["is_good"]]
    counted = f"{state['good']} of {state['count']} tries were good"
    if len(bad) > rule.of - rule.good:
        message = (
            f"{counted}; of the last {len(tries)} {len(bad)} were bad, where {rule.good} good of"
            f" {rule.of} are needed. Last: {bad[-1]['said']}."
        )
        return StepResult(Outcome.FAILED, message, state)
    # The time of the last try counts with the wait before it: 10 tries every 30s are 5 minutes.
    if state["count"] >= rule.of and passed + rule.every >= rule.length:
        return StepResult(Outcome.SUCCEEDED, f"{counted}.", state)
    by_count = state["count"] / rule.of
    by_time = (passed + rule.every) / rule.length if rule.length else 1.0
    return StepResult(
        Outcome.WAITING,
        f"{counted} so far. Last: {tries[-1]['said']}.",
        state,
        look_again_in=rule.every,
        progress=min(by_count, by_time, 1.0),
    )


def _ask(inputs: Mapping[str, Any]) -> dict[str, Any]:
    connection = connection_of(inputs)
    url = locate(inputs, connection)
    expected = tuple(inputs.get("expect") or DEFAULT_EXPECT)
    target = f"{inputs['target']}: " if "target" in inputs else ""
    try:
        with open_client(timeout=CALL_TIMEOUT) as client:
            headers = {**authorize(connection), "Cache-Control": "no-cache"}
            request = client.build_request("GET", url, headers=headers)
            # Only the status counts, so the body is not waited for.
            response = client.send(request, stream=True)
            response.close()
    except httpx.TransportError as error:
        return {"is_good": False, "said": f"{target}{_describe(error)}"}
    return {"is_good": response.status_code in expected, "said": f"{target}{response.status_code}"}


def _describe(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return "not reached" if isinstance(error, httpx.ConnectError) else type(error).__name__


def _rule_of(inputs: Mapping[str, Any]) -> Rule:
    asked = _read_good(str(inputs.get("good", DEFAULT_GOOD)))
    if asked is None:
        raise InputError(
            f"{inputs['good']!r} does not say how many of how many tries must be good."
            ' Nothing was verified. Write it as "9 of 10" in the pipeline.'
        )
    length = inputs.get("for")
    return Rule(
        good=asked[0],
        of=asked[1],
        every=parse_duration(str(inputs.get("every", DEFAULT_EVERY))),
        length=parse_duration(str(length)) if length else timedelta(0),
    )


def _read_good(text: str) -> tuple[int, int] | None:
    match = _GOOD.fullmatch(text.strip())
    if match is None:
        return None
    good, of = int(match[1]), int(match[2])
    return (good, of) if 1 <= good <= of <= MOST_TRIES else None


def _good_problems(value: Any) -> Iterator[Problem]:
    if value is not None and (not isinstance(value, str) or _read_good(value) is None):
        yield (
            "good",
            f'good must say how many of how many, such as "9 of 10", at most {MOST_TRIES}.',
        )
