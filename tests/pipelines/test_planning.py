"""The steps of a promotion are planned over waves and targets, with every name filled in."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotion.exceptions import InputError
from promotion.rules.pipeline import (
    StageForm,
    StepForm,
    WaveForm,
    pipeline_document,
    read_document,
    read_pipeline,
)
from promotion.rules.planning import PlannedStep, plan_steps
from promotion.rules.templates import fill_templates, templates_in

WHOLE = read_pipeline((Path(__file__).parent / "whole-form.yaml").read_text())
VALUES = {
    "service": "shipment-api",
    "digest:shipment-api": "sha256:aa",
    "digest:shipment-migrations": "sha256:bb",
}
TARGETS = ["eu-1", "eu-2", "us-1"]


def plan_production() -> tuple[PlannedStep, ...]:
    stage = WHOLE.stage("production")
    return plan_steps(stage, values=VALUES, targets=TARGETS)


def test_each_wave_takes_all_steps_but_copies_only_once_and_pauses_between() -> None:
    assert [(step.position, step.wave, step.kind) for step in plan_production()] == [
        (0, 0, "oci-copy"),
        (1, 0, "git-commit"),
        (2, 0, "wait-for-deployment"),
        (3, 0, "verify-metric"),
        (4, 0, "notify"),
        (5, 0, "pause"),
        (6, 1, "git-commit"),
        (7, 1, "wait-for-deployment"),
        (8, 1, "verify-metric"),
        (9, 1, "notify"),
    ]


def test_steps_know_the_targets_of_their_wave_and_their_limits() -> None:
    steps = plan_production()
    assert [step.targets for step in steps[2:8:5]] == [("eu-1",), ("eu-2", "us-1")]
    assert steps[2].timeout == timedelta(minutes=20) and steps[2].retries == 3
    assert steps[5].inputs == {"for": "30m"}


def test_a_step_that_names_target_gets_its_settings_for_each_target() -> None:
    steps = plan_production()
    assert steps[6].inputs == {
        "per_target": [
            {
                "target": target,
                "repository": "gitops",
                "path": f"apps/shipment-api/production-{target}.yaml",
                "set": {"image.digest": "sha256:aa"},
            }
            for target in ("eu-2", "us-1")
        ]
    }
    assert steps[0].inputs == {"to": "production"}


def test_digest_of_several_artifacts_is_that_of_the_service_unless_given() -> None:
    stage = StageForm("live", "live", steps=(StepForm("notify", {"to": "{digest}"}),))
    assert plan_steps(stage, values=VALUES, targets=[])[0].inputs == {"to": "sha256:aa"}
    given_one = {**VALUES, "digest": "sha256:cc"}
    assert plan_steps(stage, values=given_one, targets=[])[0].inputs == {"to": "sha256:cc"}


def test_digest_and_name_are_those_of_the_only_artifact() -> None:
    stage = StageForm("live", "live", steps=(StepForm("notify", {"to": "{name}@{digest}"}),))
    values = {"service": "shop", "digest:api": "sha256:aa"}
    assert plan_steps(stage, values=values, targets=[])[0].inputs == {"to": "api@sha256:aa"}
    two = {**values, "digest:jobs": "sha256:bb"}
    with pytest.raises(InputError, match="{name} has no value"):
        plan_steps(stage, values=two, targets=[])


def test_without_waves_there_is_one_over_all_targets() -> None:
    stage = StageForm("live", "live", steps=(StepForm("pause"), StepForm("oci-copy")))
    planned = plan_steps(stage, values={}, targets=TARGETS)
    assert {(step.wave, step.targets) for step in planned} == {(0, tuple(TARGETS))}


def test_a_wave_may_be_followed_by_a_pause_for_a_person() -> None:
    text = (
        "service: shop\nstages:\n  - name: live\n    environment: live\n    rollout:\n"
        "      waves: [{targets: [a], pause: person}, {targets: [b], pause: person}]\n"
        "    steps: [{notify: {to: chat}}]\n"
    )
    form = read_pipeline(text)
    assert read_document(pipeline_document(form)) == form
    planned = plan_steps(form.stage("live"), values=VALUES, targets=["a", "b"])
    assert [step.kind for step in planned] == ["notify", "pause", "notify"]
    assert planned[1].inputs == {"person": True}


def test_the_last_wave_is_followed_by_no_pause() -> None:
    waves = (WaveForm(("a",), timedelta(hours=1)), WaveForm(("b",), timedelta(hours=1)))
    stage = StageForm("live", "live", waves=waves, steps=(StepForm("notify"),))
    kinds = [step.kind for step in plan_steps(stage, values={}, targets=["a", "b"])]
    assert kinds == ["notify", "pause", "notify"]


@pytest.mark.parametrize(
    ("targets", "words"),
    [(["a", "b"], "b is in no wave"), ([], "a is no target"), (["c"], "c is in no wave; a is no")],
)
def test_waves_that_do_not_fit_the_targets_plan_nothing(targets: list[str], words: str) -> None:
    stage = StageForm("live", "prod", waves=(WaveForm(("a",)),), steps=(StepForm("notify"),))
    with pytest.raises(InputError, match=words):
        plan_steps(stage, values={}, targets=targets)


def test_a_template_without_a_value_plans_nothing() -> None:
    stage = StageForm("live", "live", steps=(StepForm("notify", {"to": "{commit}"}),))
    with pytest.raises(InputError, match="no step was planned"):
        plan_steps(stage, values={"service": "shop"}, targets=[])


def test_a_step_for_each_target_where_there_is_none_plans_nothing() -> None:
    stage = StageForm("live", "live", steps=(StepForm("notify", {"to": "{target}"}),))
    with pytest.raises(InputError, match="add targets"):
        plan_steps(stage, values={}, targets=[])


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{service}-{target}", "shop-eu"),
        ("{{service}}", "{service}"),
        ('up{job="{service}"}', 'up{job="shop"}'),
        ("^a{3}$", "^a{3}$"),
        ("{}", "{}"),
    ],
)
def test_templates_are_filled_and_other_braces_left_alone(text: str, filled: str) -> None:
    assert fill_templates(text, {"service": "shop", "target": "eu"}) == filled


def test_templates_are_found_and_filled_in_keys_lists_and_nested_data() -> None:
    data = {"{service}.tag": ["{version}", 3, None, {"a": "{digest:api}"}]}
    assert sorted(templates_in(data)) == ["digest:api", "service", "version"]
    values = {"service": "shop", "version": "1.2.3", "digest:api": "sha256:aa"}
    assert fill_templates(data, values) == {"shop.tag": ["1.2.3", 3, None, {"a": "sha256:aa"}]}


@given(value=st.text(), other=st.text())
def test_what_is_filled_in_is_never_read_as_a_template_again(value: str, other: str) -> None:
    filled = fill_templates("{service}|{target}", {"service": value, "target": other})
    assert filled == f"{value}|{other}"
