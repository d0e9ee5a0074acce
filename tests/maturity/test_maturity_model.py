"""The shipped model against the table of the rules, and what the reader refuses."""

from fractions import Fraction
from pathlib import Path

import pytest

from metrics.maturity.loading import SHIPPED_MODEL, load_model, load_shipped_model, parse_model
from metrics.maturity.model import MaturityModel
from metrics.maturity.values import Answer, Kind, Rule
from promotion.exceptions import InputError

SYMPTOMS = {
    "people.1.manual-steps": 1,
    "people.1.low-awareness": 1,
    "process.1.no-process": 1,
    "process.1.artifacts-differ": 1,
    "technology.1.rebuilt-per-environment": 1,
    "technology.1.no-central-store": 1,
    "measurement.1.no-tracking": 1,
    "process.2.manual-verification": 2,
    "technology.2.not-in-cicd": 2,
}
STEPPING_STONES = {
    "people.2.scripted-copying": "people.3.shared-pipelines",
    "people.2.awareness-grows": "people.3.shared-pipelines",
    "technology.2.basic-storage": "technology.3.repositories",
    "measurement.2.manual-logs": "measurement.3.auto-logged",
}
PRACTICES = {
    "process.2.reuse-guidelines",
    "people.3.shared-pipelines",
    "process.3.built-once",
    "process.3.no-manual-rebuilds",
    "technology.3.repositories",
    "technology.3.metadata",
    "measurement.3.traceability",
    "measurement.3.auto-logged",
    "people.4.learn-from-failures",
    "process.4.gates-approvals",
    "process.4.audit-ready",
    "technology.4.signed-or-checksummed",
    "technology.4.dashboards",
    "measurement.4.monitored",
    "people.5.rollout-experiments",
    "process.5.metadata-decides",
    "technology.5.routing-anomalies",
    "measurement.5.throughput",
    "measurement.5.compliance",
}
ALWAYS_APPLICABLE = {
    "process.1.artifacts-differ",
    "technology.1.rebuilt-per-environment",
    "process.3.built-once",
    "process.3.no-manual-rebuilds",
    "measurement.3.traceability",
    "technology.4.signed-or-checksummed",
}
THRESHOLDS = {
    "people.1.manual-steps": (50, 10),
    "process.1.no-process": (50, 90),
    "process.1.artifacts-differ": (50, 99),
    "technology.1.rebuilt-per-environment": (50, 1),
    "technology.1.no-central-store": (50, 99),
    "measurement.1.no-tracking": (50, 95),
    "people.2.scripted-copying": (15, 50, 85),
    "process.2.reuse-guidelines": (15, 50, 85),
    "process.2.manual-verification": (50, 10),
    "technology.2.not-in-cicd": (50, 10),
    "technology.2.basic-storage": (15, 50, 85),
    "measurement.2.manual-logs": (15, 50, 85),
    "people.3.shared-pipelines": (15, 50, 85),
    "process.3.built-once": (50, 90, 99),
    "process.3.no-manual-rebuilds": (50, 90, 99),
    "technology.3.repositories": (50, 80, 95),
    "technology.3.metadata": (50, 80, 95),
    "measurement.3.traceability": (50, 80, 95),
    "measurement.3.auto-logged": (50, 80, 95),
    "people.4.learn-from-failures": (15, 50, 85),
    "process.4.gates-approvals": (50, 90, 99),
    "process.4.audit-ready": (50, 90, 99),
    "technology.4.signed-or-checksummed": (50, 90, 99),
    "technology.4.dashboards": (1,),
    "measurement.4.monitored": (1, 2, 3),
    "people.5.rollout-experiments": (2,),
    "process.5.metadata-decides": (15, 50, 85),
    "technology.5.routing-anomalies": (15, 50, 85),
    "measurement.5.throughput": (1,),
    "measurement.5.compliance": (50, 90, 99),
}
SHIPPED_TEXT = SHIPPED_MODEL.read_text("utf-8")


@pytest.fixture
def model() -> MaturityModel:
    return load_shipped_model()


def test_the_shipped_model_has_exactly_the_statements_of_the_standard(model: MaturityModel) -> None:
    ids = [statement.id for statement in model.statements]
    assert len(ids) == len(set(ids)) == 32
    assert set(ids) == SYMPTOMS.keys() | STEPPING_STONES.keys() | PRACTICES


def test_kinds_caps_and_superseding_follow_the_table(model: MaturityModel) -> None:
    for statement in model.statements:
        assert statement.caps_at == SYMPTOMS.get(statement.id)
        assert statement.superseded_by == STEPPING_STONES.get(statement.id)
        assert (statement.kind is Kind.PRACTICE) == (statement.id in PRACTICES)


def test_category_and_level_are_those_of_the_id(model: MaturityModel) -> None:
    for statement in model.statements:
        assert statement.id.startswith(f"{statement.category}.{statement.level}.")


def test_not_applicable_is_forbidden_on_identity_traceability_and_checksum(
    model: MaturityModel,
) -> None:
    assert {one.id for one in model.statements if not one.na_allowed} == ALWAYS_APPLICABLE


def test_every_statement_but_the_two_about_awareness_has_its_check_and_thresholds(
    model: MaturityModel,
) -> None:
    found = {one.id: tuple(one.check.thresholds.values()) for one in model.statements if one.check}
    assert found == THRESHOLDS


def test_low_awareness_is_shown_to_be_over_by_shared_pipelines(model: MaturityModel) -> None:
    shown = {one.id: one.shown_by for one in model.statements if one.shown_by}
    assert shown == {"people.1.low-awareness": "people.3.shared-pipelines"}


def test_windows_rule_and_term_are_those_of_the_rules(model: MaturityModel) -> None:
    assert model.window.days == (90, 180, 365)
    assert (model.window.promotions, model.window.production_deployments) == (10, 5)
    assert model.rule is Rule.ISO33020
    assert model.not_applicable_days == 180
    assert [level.number for level in model.levels] == [1, 2, 3, 4, 5]
    assert [one.id for one in model.categories] == [
        "people",
        "process",
        "technology",
        "measurement",
    ]


def test_every_answer_has_an_example_of_its_own(model: MaturityModel) -> None:
    examples = [text for one in model.statements for text in one.examples.values()]
    assert len(examples) == len(set(examples)) == 9 * 3 + 23 * 4
    assert all(tuple(one.examples) == one.scale for one in model.statements)


@pytest.mark.parametrize(
    ("statement_id", "figure", "answer"),
    [
        ("people.1.manual-steps", 50.1, Answer.STILL_TRUE),
        ("people.1.manual-steps", 50, Answer.SOMETIMES),
        ("people.1.manual-steps", 10, Answer.SOMETIMES),
        ("people.1.manual-steps", 9.9, Answer.NO_LONGER),
        ("process.1.no-process", 49.9, Answer.STILL_TRUE),
        ("process.1.no-process", 50, Answer.SOMETIMES),
        ("process.1.no-process", 90, Answer.NO_LONGER),
        ("process.3.built-once", 49.9, Answer.NOT),
        ("process.3.built-once", Fraction(100 * 110, 120), Answer.LARGELY),
        ("process.3.built-once", Fraction(100 * 99, 100), Answer.FULLY),
        ("people.2.scripted-copying", 15, Answer.PARTLY),
        ("technology.4.dashboards", 0, Answer.NOT),
        ("technology.4.dashboards", 1, Answer.FULLY),
        ("measurement.4.monitored", 2, Answer.LARGELY),
        ("people.5.rollout-experiments", 1, Answer.NOT),
    ],
)
def test_a_figure_is_rated_by_its_thresholds(
    model: MaturityModel, statement_id: str, figure: float, answer: Answer
) -> None:
    check = model.get_statement(statement_id).check
    assert check is not None
    assert check.rate(figure) is answer


def test_another_model_of_the_same_form_loads_beside_it(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SHIPPED_TEXT.replace("id: artifact-promotion", "id: other", 1), "utf-8")
    assert load_model(other).id == "other"
    assert load_shipped_model().id == "artifact-promotion"
    assert load_shipped_model() is load_shipped_model()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_model(tmp_path / "absent.yaml")


def test_an_unknown_statement_is_refused_by_name(model: MaturityModel) -> None:
    with pytest.raises(InputError, match=r"people\.9\.flying"):
        model.get_statement("people.9.flying")


STONE = "superseded_by: people.3.shared-pipelines"
MISTAKES = [
    ("kind: symptom", "kind: sympton", "statements[0].kind", "stepping_stone"),
    ("caps_at: 1", "caps_at: 5", "statements[0].caps_at", "between 1 and 4"),
    ("caps_at: 1", "caps_at: one", "statements[0].caps_at", "whole number"),
    ("caps_at: 1", "caps_at: 0x1", "statements[0].caps_at", "whole number"),
    ("caps_at: 1", "caps_to: 1", "statements[0].caps_to", "not known"),
    ("caps_at: 1", "level: 1", "statements[0].level", "twice"),
    ("level: 1", "level: 6", "statements[0].level", "no level 6"),
    ("level: 2\n    kind: st", "level: 1\n    kind: st", "statements[7].level", "floor"),
    ("category: people", "category: pepole", "statements[0].category", "no category"),
    ("title: Manual steps", "title: ' '", "statements[0].title", "text is expected"),
    ("title: Manual steps", "title:", "statements[0].title", "text is expected"),
    ("na_allowed: false", "na_allowed: never", "statements[3].na_allowed", "true or false"),
    ("better: lower", "best: lower", "statements[0].check.best", "not known"),
    ("no_longer: 10}", "no_longer: 60}", "statements[0].check.thresholds", "more than"),
    ("partly: 15", "partly: 60", "statements[7].check.thresholds", "more than"),
    ("unit: yes_or_no", "better: lower", "statements[25].check.better", "higher"),
    ("id: people.1.low-awareness", "id: Low", "statements[1].id", "no id"),
    ("id: people.1.low-awareness", "id: people.1.manual-steps", "statements[1]", "twice"),
    ("shown_by: people.3", "shown_by: people.7", "statements[1].shown_by", "no statement"),
    (STONE, f"{STONE}\n    shown_by: process.3.built-once", "statements[7].shown_by", "symptom"),
    (STONE, "superseded_by: people.1.manual-steps", "statements[7].superseded_by", "higher"),
    (STONE, f"{STONE}\n    caps_at: 2", "statements[7].caps_at", "symptom only"),
    ("days: [90, 180, 365]", "days: [180, 90, 365]", "window.days", "longer"),
    ("days: [90, 180, 365]", "days: []", "window.days", "at least one"),
    ("rule: iso33020", "rule: iso", "rule", "cmmi"),
    ("window: {", "window: 90\nwindows: {", "windows", "not known"),
    ("asks: Who", "asks: {Who", "", "not YAML"),
]


def find_first_change(before: str, after: str) -> int:
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    return next(number for number, (old, new) in enumerate(pairs, 1) if old != new)


@pytest.mark.parametrize(("old", "new", "key", "complaint"), MISTAKES)
def test_a_mistake_in_a_model_is_told_with_line_and_key(
    old: str, new: str, key: str, complaint: str
) -> None:
    text = SHIPPED_TEXT.replace(old, new, 1)
    with pytest.raises(InputError) as caught:
        parse_model(text)
    assert caught.value.key == key
    assert complaint in caught.value.sentence
    assert f"Line {caught.value.line}" in caught.value.sentence
    # What is added after a line, or left open, is noticed one line on.
    assert caught.value.line in {find_first_change(SHIPPED_TEXT, text) + way for way in (-1, 0, 1)}


@pytest.mark.parametrize(
    ("old", "new", "key", "complaint", "begins"),
    [
        (f"    {STONE}\n", "", "statements[7]", "needs", "  - id: people.2.scripted-copying"),
        ("    title: Manual steps\n", "", "statements[0].title", "missing", "  - id: people.1.man"),
        ("- number: 2", "- number: 3", "levels", "numbered", "  - number: 1"),
        ("level: 5\n    kind: practice\n    why: >-\n      Which", ("level: 4\n    kind: practice"
         "\n    why: >-\n      Which"), "statements", "no practice at level 5", "  # Level 1"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_with_the_line_its_place_begins(
    old: str, new: str, key: str, complaint: str, begins: str
) -> None:
    text = SHIPPED_TEXT.replace(old, new, 1)
    with pytest.raises(InputError) as caught:
        parse_model(text)
    assert caught.value.key == key
    assert complaint in caught.value.sentence
    beginning = text[: text.index(begins)].count("\n") + 1
    assert caught.value.line in {beginning, beginning + 1}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("", "empty"), ("- a\n- b\n", "mapping"), ("a: \x00\n", "cannot be read as YAML")],
)
def test_what_is_no_model_at_all_is_refused_at_line_one(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        parse_model(text)
    assert caught.value.line == 1
