"""Trying something for a time: n of any m tries in a row must be good."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from promotion.exceptions import InputError
from promotion.rules.durations import parse_duration
from promotion.rules.settings import Problem, check_duration, sets_of

from .base import Looking, Outcome, StepResult

DEFAULT_GOOD = "9 of 10"
MOST_TRIES = 1000
_GOOD = re.compile(r"(\d{1,4}) of (\d{1,4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """Of any `of` tries in a row `good` must be good, until `length` has passed (at least `of` tries)."""

    good: int
    of: int
    every: timedelta
    length: timedelta


@dataclass(frozen=True, slots=True)
class Tried:
    """One answer to one try: was it good, and what was said."""

    is_good: bool
    said: str


def tries_problems(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """`for`, `every` and `good` are lengths of time and 'n of m'."""
    yield from check_duration(settings, "for")
    yield from check_duration(settings, "every")
    yield from _good_problems(settings.get("good"))


def try_once(
    context: Looking,
    ask: Callable[[Mapping[str, Any]], Tried],
    *,
    every: str,
    before: Mapping[str, Any],
) -> StepResult:
    """One try more, judged with those before, as the last look left them; none at a start.

    `every` is the usual time between tries, as a pipeline writes it.
    Each set of settings is asked; the try is good where all answers are. Raises what `ask` raises,
    and InputError for settings that cannot be read.
    """
    each = sets_of(context.inputs)
    rule = _rule_of(each[0], every)
    found = [(str(one.get("target", "")), ask(one)) for one in each]
    is_good = all(tried.is_good for _, tried in found)
    said = ", ".join(f"{target}: {one.said}" if target else one.said for target, one in found)
    tries = [
        *before.get("tries", []),
        {"at": context.at.isoformat(), "is_good": is_good, "said": said},
    ]
    state = {
        "tries": tries[-rule.of :],
        "count": int(before.get("count", 0)) + 1,
        "good": int(before.get("good", 0)) + is_good,
    }
    if any(target for target, _ in found):
        state["by_target"] = _by_target(before.get("by_target", {}), found)
    return _judge(rule, state, passed=context.at - context.begun_at)


def _by_target(
    before: Mapping[str, Any], found: Sequence[tuple[str, Tried]]
) -> dict[str, dict[str, Any]]:
    """How many tries of each target were good, and what was said last."""
    counted = {}
    for target, tried in found:
        old = before.get(target, {"good": 0, "count": 0})
        counted[target] = {
            "good": old["good"] + tried.is_good,
            "count": old["count"] + 1,
            "last": tried.said,
        }
    return counted


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


def _rule_of(inputs: Mapping[str, Any], every: str) -> Rule:
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
        every=parse_duration(str(inputs.get("every", every))),
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
