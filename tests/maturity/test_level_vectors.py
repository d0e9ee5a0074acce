"""The published cases of the level rules, and the runner that reads them."""

import json
from pathlib import Path
from typing import Any

import pytest

from metrics.vectors.level import RUNNERS

CASES = json.loads(
    (Path(__file__).parents[1] / "vectors" / "maturity" / "level.json").read_text("utf-8")
)
run = RUNNERS["level"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_published_case_agrees(case: dict[str, Any]) -> None:
    assert run(case, None) == []


def test_a_wrong_expectation_is_told_value_by_value() -> None:
    case = {
        "given": {"claimed": {}},
        "expect": {
            "verified": {"people": 2, "process": 1},
            "binding": ["measurement", "technology", "process", "people"],
            "next": {"people": {"met": 1}},
            "provisional": 1,
        },
    }
    differences = run(case, None)
    named = ["verified.people", "next.people.met", "provisional"]
    assert [difference.split()[0] for difference in differences] == named


def test_a_value_the_engine_does_not_have_is_a_difference() -> None:
    case = {"given": {}, "expect": {"claimed": {"culture": 1}}}
    assert [difference.split()[0] for difference in run(case, None)] == ["claimed.culture"]


def test_a_progress_where_none_is_expected_is_a_difference() -> None:
    differences = run({"given": {}, "expect": {"next": {"people": None}}}, None)
    assert [difference.split()[0] for difference in differences] == ["next.people"]


def test_an_answer_on_no_scale_is_told() -> None:
    differences = run({"given": {"claimed": {"people.1.manual-steps": "X"}}, "expect": {}}, None)
    assert differences == [
        "The case holds a value that is not on any scale: 'X' is not a valid Answer."
    ]


def test_a_statement_the_model_does_not_have_is_told() -> None:
    differences = run({"given": {"evidence": ["people.9.flying"]}, "expect": {}}, None)
    assert "people.9.flying" in differences[0]
