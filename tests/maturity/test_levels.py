"""What the level engine says of an assessment, and what would lift it."""

from collections.abc import Mapping
from typing import Any

import pytest

from metrics.maturity.levels import LevelResult, Progress, derive_levels
from metrics.maturity.lifting import Improvement, Lift, find_lifts
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.values import Answer, Kind, Measured, Rule
from promotion.exceptions import InputError

MODEL = load_shipped_model()
IDS = frozenset(statement.id for statement in MODEL.statements)


def answer_all(*, to_level: int) -> dict[str, Answer]:
    return {
        one.id: one.scale[-1] if one.is_symptom or one.level <= to_level else Answer.NOT
        for one in MODEL.statements
    }


def derive(
    changes: Mapping[str, Answer],
    *,
    to_level: int = 3,
    measured: Mapping[str, Measured] | None = None,
    without: frozenset[str] = frozenset(),
    rule: Rule | None = None,
) -> LevelResult:
    claimed = {**answer_all(to_level=to_level), **changes}
    return derive_levels(MODEL, claimed, measured or {}, IDS - without, rule)


def test_an_empty_assessment_shows_every_statement_at_the_floor() -> None:
    result = derive_levels(MODEL, {}, {}, ())
    assert [one.statement.id for one in result.ratings] == [one.id for one in MODEL.statements]
    assert {one.claimed for one in result.ratings} == {Answer.UNANSWERED}
    assert {one.verified for one in result.ratings} == {Answer.NOT, Answer.STILL_TRUE}
    assert result.verified.overall == 1
    assert result.provisional
    assert result.confidence.share == 0
    assert find_lifts(result) == ()


def test_what_may_not_be_set_aside_stays_in_the_count() -> None:
    claimed = {one.id: Answer.NOT_APPLICABLE for one in MODEL.statements}
    result = derive_levels(MODEL, claimed, {}, ())
    assert (result.confidence.have, result.confidence.of) == (0, 2)


def test_why_names_claim_and_measurement_of_the_statement_that_stops() -> None:
    result = derive(
        {"process.3.no-manual-rebuilds": Answer.FULLY},
        measured={"process.3.no-manual-rebuilds": Measured.PARTLY},
    )
    assert result.verified.why["process"] == (
        (
            "Level 3 needs Largely for “Manual rebuilds are disallowed”; "
            "it is Partly (claimed Fully, measured Partly)."
        ),
    )
    assert result.contradicted == ("process.3.no-manual-rebuilds",)
    assert result.binding == ("process",)


@pytest.mark.parametrize(
    ("changes", "measured", "without", "category", "sentence"),
    [
        (
            {"technology.2.not-in-cicd": Answer.STILL_TRUE},
            {},
            (),
            "technology",
            (
                "“Promotion not integrated into CI/CD” is still true (as claimed); "
                "that caps the category at level 2."
            ),
        ),
        (
            {},
            {},
            ("technology.3.metadata",),
            "technology",
            (
                "Level 3 needs Largely for “Metadata tagging applied”; it is Partly "
                "(claimed Fully, with no measurement and no accepted evidence)."
            ),
        ),
        (
            {"technology.3.metadata": Answer.UNANSWERED},
            {},
            (),
            "technology",
            "Level 3 needs Largely for “Metadata tagging applied”; it is Not (not answered).",
        ),
        (
            {"technology.3.metadata": Answer.UNKNOWN},
            {},
            (),
            "technology",
            (
                "Level 3 needs Largely for “Metadata tagging applied”; it is Not "
                "(answered don't know)."
            ),
        ),
        (
            {"technology.3.metadata": Answer.PARTLY},
            {"technology.3.metadata": Measured.FULLY},
            (),
            "technology",
            (
                "Level 3 needs Largely for “Metadata tagging applied”; it is Partly "
                "(claimed Partly, although measured Fully)."
            ),
        ),
        (
            {"people.4.learn-from-failures": Answer.NOT_APPLICABLE},
            {},
            (),
            "people",
            "Level 4 has no applicable practice; not applicable earns nothing.",
        ),
    ],
)
def test_why_says_where_a_value_comes_from(
    changes: dict[str, Answer],
    measured: dict[str, Measured],
    without: tuple[str, ...],
    category: str,
    sentence: str,
) -> None:
    result = derive(changes, measured=measured, without=frozenset(without))
    assert result.verified.why[category][0] == sentence


def test_why_says_when_a_superseding_statement_counts() -> None:
    result = derive(
        {"technology.2.basic-storage": Answer.NOT, "technology.3.repositories": Answer.LARGELY}
    )
    assert result.get_rating("technology.2.basic-storage").counted_verified is Answer.LARGELY
    assert result.verified.why["technology"][0] == (
        "Level 3 needs Fully for “Shared drives or basic storage used” of level 2; "
        "it is Largely (the value of the statement that supersedes it)."
    )


def test_progress_names_what_is_missing() -> None:
    progress = derive({}).next["technology"]
    assert isinstance(progress, Progress)
    assert (progress.level, progress.met, progress.needed) == (4, 6, 8)
    assert [one.statement.id for one in progress.missing] == [
        "technology.4.signed-or-checksummed",
        "technology.4.dashboards",
    ]


def test_one_statement_below_lifts_the_overall_level() -> None:
    result = derive({"process.3.no-manual-rebuilds": Answer.PARTLY})
    assert find_lifts(result) == (
        Lift(None, 2, 3, (Improvement("process.3.no-manual-rebuilds", Answer.LARGELY),)),
    )


def test_a_superseding_statement_lifts_its_stepping_stones_along() -> None:
    result = derive(
        {
            "people.2.scripted-copying": Answer.NOT,
            "people.2.awareness-grows": Answer.NOT,
            "people.3.shared-pipelines": Answer.NOT,
        }
    )
    assert find_lifts(result, "people") == (
        Lift("people", 1, 2, (Improvement("people.3.shared-pipelines", Answer.LARGELY),)),
    )


def test_an_answer_agreed_not_to_apply_is_no_way_up() -> None:
    result = derive(
        {
            "people.2.scripted-copying": Answer.NOT,
            "people.3.shared-pipelines": Answer.NOT_APPLICABLE,
        }
    )
    assert [one.improvements for one in find_lifts(result, "people")] == [
        (Improvement("people.2.scripted-copying", Answer.LARGELY),)
    ]


def test_at_the_top_nothing_binds_and_nothing_lifts() -> None:
    result = derive({}, to_level=5)
    assert result.verified.overall == 5
    assert result.binding == ()
    assert set(result.next.values()) == {None}
    assert set(result.verified.why.values()) == {()}
    assert find_lifts(result) == find_lifts(result, "people") == ()


def test_more_than_three_missing_statements_give_no_lift() -> None:
    assert find_lifts(derive({}, to_level=1), None) == ()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (({"people.9.flying": Answer.FULLY}, {}, ()), "people.9.flying"),
        (({"people.9.flying": Answer.UNANSWERED}, {}, ()), "people.9.flying"),
        (({}, {"people.9.flying": Measured.INSUFFICIENT}, ()), "people.9.flying"),
        (({}, {}, ["people.9.flying"]), "people.9.flying"),
        (({"people.1.manual-steps": Answer.FULLY}, {}, ()), "'Fully' is no value for people.1"),
        (({}, {"process.3.built-once": Measured.NO_LONGER}, ()), "use one of: Not, Partly"),
    ],
)
def test_what_does_not_belong_to_the_model_is_refused(
    arguments: tuple[Any, Any, Any], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        derive_levels(MODEL, *arguments)


def test_answers_and_results_have_words() -> None:
    assert Answer.UNKNOWN.label == "don't know"
    assert Measured.INSUFFICIENT.label == "insufficient data"
    assert Measured.STILL_TRUE.label == Answer.STILL_TRUE.label == "still true"
    assert {one.kind for one in MODEL.statements} == set(Kind)
