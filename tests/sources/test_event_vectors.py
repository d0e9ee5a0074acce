"""Every vector of an event: a real payload becomes exactly the facts that are expected."""

import json
from pathlib import Path
from typing import Any

import pytest

from metrics.vectors.events import RUNNERS, compare_facts
from promotion.sources.base import Fact
from promotion.sources.times import clean_time

TESTS = Path(__file__).parents[1]
CASES = [
    pytest.param(case, id=f"{case['source']}-{case['file']}")
    for path in sorted((TESTS / "vectors" / "events").glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
]


@pytest.mark.parametrize("case", CASES)
def test_a_payload_becomes_the_facts_expected(case: dict[str, Any]) -> None:
    assert RUNNERS["event"](case, TESTS / "fixtures") == []


def test_a_fact_too_many_is_a_difference() -> None:
    assert compare_facts([], [Fact("build", external_id="1")]) == [
        "0 facts are expected and 1 were found."
    ]


def test_a_vague_expectation_does_not_take_the_fact_of_a_precise_one() -> None:
    found = [Fact("incident", external_id="1"), Fact("incident", external_id="2")]
    expected: list[dict[str, Any]] = [
        {"kind": "incident"},
        {"kind": "incident", "external_id": 1},
    ]
    assert compare_facts(expected, found) == []


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"commit": "abcdef1"}, True),
        ({"commit": "abcdef2"}, False),
        ({"commit": "abcdef1" + "0" * 33}, True),
        ({"commit": "abcdef1" + "1" * 33}, False),
        ({"finished_at": "2026-01-01T01:00:00.0009+01:00"}, True),
        ({"finished_at": "2026-01-01T00:00:00.002Z"}, False),
        ({"version": None}, True),
        ({"version": "1"}, False),
        ({"result": None}, False),
    ],
)
def test_fields_compare_by_their_own_rule(wanted: dict[str, Any], fits: bool) -> None:
    fact = Fact(
        "build",
        commit="abcdef1" + "0" * 33,
        finished_at=clean_time("2026-01-01T00:00:00Z"),
        result="failed",
    )
    assert (compare_facts([wanted], [fact]) == []) is fits


def test_an_unknown_source_is_a_failed_case() -> None:
    case = {"source": "pigeon", "file": "github/ping.json", "headers": {}, "expect": {"facts": []}}
    assert "There is no source called pigeon" in RUNNERS["event"](case, TESTS / "fixtures")[0]
