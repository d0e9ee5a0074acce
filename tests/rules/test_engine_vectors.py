"""Every rule vector, run as check_vectors runs it."""

import json
from pathlib import Path
from typing import Any

import pytest

from metrics.vectors import check_case

CASES = [
    case
    for file in sorted((Path(__file__).parents[1] / "vectors" / "engine").glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}: {case['name']}")
def test_the_product_says_what_the_vector_expects(case: dict[str, Any]) -> None:
    assert check_case(case, None).differences == ()
