"""Runs vector cases of events: a real payload, and the facts it must become."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from promotion.exceptions import InputError
from promotion.sources.base import Delivery, Fact
from promotion.sources.known import source_named
from promotion.sources.times import clean_time

_TIMES = frozenset({"started_at", "finished_at", "occurred_at"})
_TOLERANCE = timedelta(milliseconds=1)
_FULL_COMMIT = frozenset({40, 64})


def run_event(case: dict[str, Any], fixtures: Path | None) -> list[str]:
    """Normalise the case's payload and say, a sentence each, where the facts differ."""
    if fixtures is None:
        return ["A directory of fixtures is needed for cases of events."]
    try:
        body = (fixtures / str(case["file"])).read_bytes()
        headers = case.get("headers") or {}
        found = source_named(str(case["source"])).normalise(Delivery(body, headers))
    except (InputError, OSError) as error:
        return [f"{case.get('file')} could not be normalised: {error}"]
    expected = case["expect"]["facts"]
    return compare_facts(expected, list(found.facts))


def compare_facts(expected: list[dict[str, Any]], found: list[Fact]) -> list[str]:
    """Match the expected facts one to one with those found; free choice is left to the matching."""
    differences = []
    if len(expected) != len(found):
        differences.append(f"{len(expected)} facts are expected and {len(found)} were found.")
    pairs = _pair(expected, found)
    for index, one in enumerate(expected):
        if index in pairs:
            continue
        rest = [fact for place, fact in enumerate(found) if place not in pairs.values()]
        differences.append(_explain(one, rest))
    return differences


def _pair(expected: list[dict[str, Any]], found: list[Fact]) -> dict[int, int]:
    """Largest matching of expected to found, by augmenting paths."""
    owner: dict[int, int] = {}

    def place(index: int, tried: set[int]) -> bool:
        for other, fact in enumerate(found):
            if other in tried or _differences(expected[index], fact):
                continue
            tried.add(other)
            if other not in owner or place(owner[other], tried):
                owner[other] = index
                return True
        return False

    for index in range(len(expected)):
        place(index, set())
    return {index: other for other, index in owner.items()}


def _explain(expected: dict[str, Any], rest: list[Fact]) -> str:
    text = json.dumps(expected, sort_keys=True)
    if not rest:
        return f"No fact is left for {text}."
    nearest = min(rest, key=lambda fact: len(_differences(expected, fact)))
    return (
        f"No fact fits {text}; the nearest differs in {'; '.join(_differences(expected, nearest))}."
    )


def _differences(expected: dict[str, Any], fact: Fact) -> list[str]:
    return [
        f"{name} (expected {wanted!r}, found {_shown(getattr(fact, name, None))!r})"
        for name, wanted in expected.items()
        if not _is_equal(name, wanted, getattr(fact, name, None))
    ]


def _is_equal(name: str, wanted: object, found: object) -> bool:
    if wanted is None or found is None:
        return wanted is None and found is None
    if name in _TIMES:
        at = clean_time(wanted)
        return at is not None and isinstance(found, datetime) and abs(at - found) <= _TOLERANCE
    if name == "commit":
        commit, given = str(wanted).lower(), str(found)
        return given == commit if len(commit) in _FULL_COMMIT else given.startswith(commit)
    return str(wanted) == str(found) if name == "external_id" else wanted == found


def _shown(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


RUNNERS: dict[str, Callable[[dict[str, Any], Path | None], list[str]]] = {"event": run_event}
