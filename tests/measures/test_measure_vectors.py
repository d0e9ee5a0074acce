"""The cases of the measures' rules, each run against the product."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from metrics.vectors.measures import check_measures, compute_case, show_results

FOLDER = Path(__file__).parents[1] / "vectors" / "measures"
CASES: list[dict[str, Any]] = [
    case for path in sorted(FOLDER.glob("*.json")) for case in json.loads(path.read_text())
]
LISTS = ("builds", "evidence", "promotions", "deployments", "observations", "incidents")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_case_gives_the_expected_figures(case: dict[str, Any]) -> None:
    assert check_measures(case) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_order_in_which_facts_are_given_changes_no_figure(case: dict[str, Any]) -> None:
    given = json.loads(json.dumps(case["given"]))
    for index, each in enumerate(given.get("observations", [])):
        each.setdefault("id", f"observation {index}")
    expected = show_results(compute_case(given))
    shuffle = random.Random(case["name"])
    for name in LISTS:
        shuffle.shuffle(given.get(name, []))

    assert show_results(compute_case(given)) == expected


def test_a_wrong_figure_is_named_in_a_sentence() -> None:
    case = json.loads(json.dumps(CASES[0]))
    case["expect"] = {"automated_share": {"automated": 7}, "no_data": ["failures"]}

    differences = check_measures(case)

    assert differences[0] == "automated_share.automated is 1, expected 7"
    assert differences[1].startswith("no_data is")
