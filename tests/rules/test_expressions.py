"""Expressions: only exactly true is true, and what cannot be told says why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotion.rules.expressions import FACTS, LONGEST_SOURCE, problem_in, tell
from promotion.rules.risk import Risk, judge_risk

WHOLE: dict[str, Any] = {
    "promotion.number": "P-7",
    "promotion.kind": "normal",
    "promotion.origin": "person",
    "promotion.environment": "production",
    "promotion.tier": "production",
    "promotion.stage": "production",
    "promotion.is_first": False,
    "service.name": "shipment-api",
    "service.team": "shipping",
    "release.version": "4.18.0",
    "release.commit": "c" * 40,
    "release.artifacts": [{"name": "shipment-api", "digest": "sha256:" + "a" * 64}],
    "release.commits": 12,
    "release.authors": 3,
    "risk.score": 0.5,
    "risk.failures": 0.1,
    "risk.size": 0.4,
}


def test_every_declared_fact_can_be_compared() -> None:
    assert WHOLE.keys() == FACTS.keys()
    for name, value in WHOLE.items():
        written = "true" if value is True else "false" if value is False else repr(value)
        assert tell(f"{name} == {written}", WHOLE).answer is True, name


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("risk.score < 0.8 || size(release.artifacts) == 1", True),
        ("risk.score >= 0.6", False),
        ("release.artifacts.all(one, one.name == service.name)", True),
        ("promotion.tier == 'production' && release.commits > 20", False),
        ("has(release.artifacts[0].size)", False),
    ],
)
def test_true_and_false_are_told(source: str, answer: bool) -> None:
    assert tell(source, WHOLE).answer is answer


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("release.artifacts[0].size == '1'", "Key not found"),
        ("release.artifacts[5].name == 'x'", "index=5"),
        ("release.commits / 0 == 1", "divi"),
        ("risk.scor < 0.5", "risk.scor"),
        ("release.commits", "gives int"),
        ("dyn(true)", "gives dyn"),
        ("", "must be a text"),
    ],
)
def test_an_error_is_never_true_and_says_what_is_wrong(source: str, why: str) -> None:
    told = tell(source, WHOLE)
    assert told.answer is None
    assert why in told.why


def test_a_fact_that_is_not_known_is_named_and_only_where_the_answer_needs_it() -> None:
    facts = {**WHOLE, "risk.score": None}
    assert tell("risk.score < 0.8", facts).why == (
        "It cannot be told: risk.score is not known here."
    )
    assert tell("risk.score < 0.8 || release.commits > 1", facts).answer is True


@pytest.mark.parametrize("value", ["0.1", [], {}, object()])
def test_a_fact_of_another_type_is_never_true(value: object) -> None:
    assert tell("risk.score < 0.8", {**WHOLE, "risk.score": value}).answer is not True


def test_what_takes_too_long_is_stopped() -> None:
    many = [{"name": str(number), "digest": "d"} for number in range(300)]
    nested = "release.artifacts.all(a, release.artifacts.all(b, release.artifacts.all(c, true)))"
    told = tell(nested, {**WHOLE, "release.artifacts": many})
    assert told.answer is None
    assert "budget" in told.why


def test_a_source_may_be_so_long_and_no_longer() -> None:
    longest = "true" + " " * (LONGEST_SOURCE - 4)
    assert problem_in(longest) is None
    assert "at most 4096 bytes" in str(problem_in(longest + " "))


def test_a_problem_tells_the_place_and_how_to_write_numbers() -> None:
    assert "1:12" in str(problem_in("risk.score < 1"))
    assert "as 1.0" in str(problem_in("risk.score < 1"))
    assert "recursion" in str(problem_in("(" * 200 + "true" + ")" * 200))
    assert "must be a text" in str(problem_in(["true"]))


@given(st.text(max_size=60))
def test_no_text_is_anything_but_told_or_not(source: str) -> None:
    told = tell(source, WHOLE)
    assert told.answer in (True, False) or told.why.endswith(".")
    assert told.answer is None or problem_in(source) is None


def test_risk_grows_with_failures_size_and_haste_and_is_none_where_a_part_is_not_known() -> None:
    assert judge_risk(failed=[False] * 5, commits=0, is_hotfix=False) == Risk(0.0, 0.0, 0.0)
    ten = judge_risk(failed=[True] + [False] * 9, commits=10, is_hotfix=False)
    assert (ten.failures, ten.size) == (0.1, 0.5)
    assert ten.score == pytest.approx(1 - 0.9 * 0.75)
    assert judge_risk(failed=[True] * 4, commits=1, is_hotfix=True).score is None
    assert judge_risk(failed=[True] * 9, commits=None, is_hotfix=True).score is None


@given(st.lists(st.booleans(), min_size=5), st.integers(0, 10_000), st.booleans())
def test_risk_lies_between_nothing_and_one_and_each_part_only_raises_it(
    failed: list[bool], commits: int, is_hotfix: bool
) -> None:
    score = judge_risk(failed=failed, commits=commits, is_hotfix=is_hotfix).score
    more = judge_risk(failed=[True, *failed[1:]], commits=commits + 1, is_hotfix=True).score
    assert score is not None
    assert more is not None
    assert 0 <= score <= more <= 1
