"""What counts as a difference between a case and the product."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from metrics.vectors.comparing import compare

AT = datetime(2027, 6, 16, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        (0.1 + 0.2, 0.3),
        ("2027-06-16T14:00:00+02:00", AT),
        (["a", "b"], ("a", "b")),
        (None, None),
        (1, 1.0),
    ],
)
def test_what_means_the_same_does_not_differ(expected: Any, actual: Any) -> None:
    assert compare(expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": 1}, {"b": 1}),
        ({"a": {"b": 1}}, {"a": {"b": 2}}),
        (True, 1),
        (0, False),
        (0, None),
        (None, AT),
        ("2027-06-16T12:00:01Z", AT),
        ("2027-06-16T12:00:00", AT),
        (["a"], ["b"]),
        (["a"], ["a", "a"]),
        (["a"], "a"),
        ({"a": 1}, None),
        (0.1, 0.100002),
    ],
)
def test_what_differs_is_said_once(expected: Any, actual: Any) -> None:
    assert len(compare(expected, actual)) == 1


def test_the_order_of_a_list_counts() -> None:
    assert compare(["a", "b"], ["b", "a"]) == [
        "[0] is 'b', expected 'a'",
        "[1] is 'a', expected 'b'",
    ]


def test_a_mapping_compared_whole_may_have_no_other_keys() -> None:
    expected, actual = {"states": {"p1": "running"}}, {"states": {"p1": "running", "p2": "waiting"}}
    assert compare(expected, actual) == []
    assert compare(expected, actual, whole=("states",)) == [
        "states.p2 is not expected, got 'waiting'"
    ]


def test_lists_compare_as_sets_where_asked() -> None:
    assert compare(["a", "b"], ["b", "a", "a"], as_sets=True) == []
    assert compare(["a"], frozenset({"a"})) == []


def test_tolerances_are_those_asked_for() -> None:
    assert compare(1.0, 1.0009, tolerance=1e-3) == []
    later = AT + timedelta(milliseconds=1)
    assert compare("2027-06-16T12:00:00Z", later, apart=timedelta(milliseconds=1)) == []
