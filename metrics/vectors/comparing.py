"""Comparing what a case expects with what the product says; each difference is a sentence."""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

FRACTION_TOLERANCE = 1e-6
HOURS_TOLERANCE = 1e-3


def compare(
    expected: Any,
    actual: Any,
    at: str = "",
    *,
    tolerance: float = FRACTION_TOLERANCE,
    whole: Collection[str] = (),
    as_sets: bool = False,
    apart: timedelta = timedelta(0),
) -> list[str]:
    """Name what differs; of mappings only the expected keys count, unless named in `whole`.

    Numbers may differ by `tolerance`, times (compared as instants) by `apart`; a time is one where
    the product's value is one. Lists compare in order, or as sets with `as_sets`.
    """
    options: dict[str, Any] = {
        "tolerance": tolerance,
        "whole": whole,
        "as_sets": as_sets,
        "apart": apart,
    }
    if isinstance(expected, Mapping):
        return _compare_mappings(expected, actual, at, options)
    if isinstance(expected, list):
        return _compare_lists(expected, actual, at, options)
    return [] if _is_equal(expected, actual, tolerance, apart) else [_say(expected, actual, at)]


def read_time(text: str) -> datetime:
    """Read an RFC 3339 time; ValueError if it has no offset."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"the time {text!r} has no offset")
    return time


def _compare_mappings(
    expected: Mapping[str, Any], actual: Any, at: str, options: dict[str, Any]
) -> list[str]:
    if not isinstance(actual, Mapping):
        return [_say(expected, actual, at)]
    differences: list[str] = []
    for key, value in expected.items():
        place = f"{at}.{key}" if at else key
        if key in actual:
            differences += compare(value, actual[key], place, **options)
        else:
            differences.append(f"{place} is missing, expected {_show(value)}")
    if at in options["whole"]:
        unexpected = sorted(actual.keys() - expected.keys(), key=str)
        differences += [
            f"{at}.{key} is not expected, got {_show(actual[key])}" for key in unexpected
        ]
    return differences


def _compare_lists(expected: list[Any], actual: Any, at: str, options: dict[str, Any]) -> list[str]:
    if isinstance(actual, str | Mapping) or not isinstance(actual, Collection):
        return [_say(expected, actual, at)]
    if options["as_sets"] or not isinstance(actual, Sequence):
        equal = set(map(str, expected)) == set(map(str, actual))
        return [] if equal else [_say(sorted(map(str, expected)), sorted(map(str, actual)), at)]
    if len(expected) != len(actual):
        return [_say(expected, list(actual), at)]
    return [
        difference
        for index, (wanted, got) in enumerate(zip(expected, actual, strict=True))
        for difference in compare(wanted, got, f"{at}[{index}]", **options)
    ]


def _is_equal(expected: Any, actual: Any, tolerance: float, apart: timedelta) -> bool:
    if isinstance(actual, datetime):
        try:
            return isinstance(expected, str) and abs(read_time(expected) - actual) <= apart
        except ValueError:
            return False
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, int | float) and isinstance(actual, int | float):
        return math.isclose(expected, actual, rel_tol=0.0, abs_tol=tolerance)
    return bool(expected == actual)


def _say(expected: Any, actual: Any, at: str) -> str:
    return f"{at or 'the result'} is {_show(actual)}, expected {_show(expected)}"


def _show(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(list(value) if isinstance(value, tuple) else value)
