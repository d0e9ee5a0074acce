"""The whole form of a pipeline is read, each key with its meaning."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from promotion.exceptions import InputError
from promotion.rules.pipeline import (
    ApprovalForm,
    AskForm,
    GateForm,
    PipelineForm,
    StageForm,
    StepForm,
    WaveForm,
    WindowsForm,
    pipeline_document,
    read_document,
    read_pipeline,
)
from promotion.rules.windows import Window

WHOLE = (Path(__file__).parent / "whole-form.yaml").read_text()
SMALLEST = "service: shop\nstages:\n  - name: live\n    environment: production\n"


@pytest.fixture(scope="module")
def whole() -> PipelineForm:
    return read_pipeline(WHOLE)


def stage(form: PipelineForm, name: str) -> StageForm:
    return form.stage(name)


def test_the_service_its_version_artifacts_and_repositories_are_read(whole: PipelineForm) -> None:
    assert whole.service == "shipment-api"
    assert whole.version_pattern == r"^v?(\d+\.\d+\.\d+)$"
    assert whole.artifacts == ("shipment-api", "shipment-migrations")
    assert whole.repositories == {
        "staging": "registry-main/staging/{name}",
        "production": "registry-prod/{name}",
    }


def test_stages_know_what_is_up_and_downstream(whole: PipelineForm) -> None:
    dev, staging, production = whole.stages
    assert [one.environment for one in whole.stages] == ["dev", "staging", "production"]
    assert whole.first_stages == (dev,)
    assert whole.upstream_of(production) == (staging,)
    assert whole.downstream_of(dev) == (staging,)
    assert whole.stage_of("staging") == staging
    assert whole.stage("staging") == staging
    assert whole.stage_of("nowhere") is None
    with pytest.raises(InputError, match="no stage nowhere; it has dev, staging, production"):
        whole.stage("nowhere")


def test_the_policies_of_a_stage_are_read(whole: PipelineForm) -> None:
    production = stage(whole, "production")
    assert (production.availability, production.mode, production.queue) == (
        "all",
        "enforce",
        "supersede",
    )
    assert production.expires == timedelta(days=14)
    assert production.require_build and not production.auto and not production.distinct
    assert stage(whole, "dev").auto and stage(whole, "staging").auto
    assert production.on_failure == "rollback"
    assert production.rollback_gates == (GateForm("checksum"),)
    assert production.rollback_approvals == ()
    assert not production.freezes_apply_to_rollback and not production.freezes_apply_to_break_glass


def test_gates_are_read_with_their_settings_and_advisory_apart(whole: PipelineForm) -> None:
    gates = stage(whole, "production").gates
    assert [gate.kind for gate in gates] == [
        "order", "soak", "checksum", "signature", "provenance", "sbom",
        "window", "lock", "debt", "expression",
    ]  # fmt: skip
    assert gates[1] == GateForm("soak", {"for": "24h"})
    assert gates[4].settings == {
        "builder": "https://ci.example.com/builder@v1",
        "source": "https://git.example.com/meridian/shipment-api",
    }
    expression = {"if": "risk.score < 0.8 || size(release.artifacts) == 1"}
    assert gates[9] == GateForm("expression", expression, advisory=True)
    assert stage(whole, "staging").gates[2].settings == {"names": ["unit", "integration"]}
    assert stage(whole, "production").soak == timedelta(hours=24)
    assert stage(whole, "dev").soak == timedelta(0)


def test_steps_are_read_with_timeout_and_retries_apart(whole: PipelineForm) -> None:
    staging = stage(whole, "staging")
    assert staging.steps == (
        StepForm("oci-copy", {"to": "staging"}),
        StepForm(
            "git-commit",
            {
                "repository": "gitops",
                "path": "apps/{service}/staging.yaml",
                "set": {"image.digest": "{digest}"},
            },
        ),
        StepForm("wait-for-deployment", {}, timeout=timedelta(minutes=15)),
        StepForm(
            "verify-http",
            {"url": "https://staging.example.com/{service}/health", "for": "5m", "good": "9 of 10"},
        ),
    )
    assert staging.verifies and not stage(whole, "dev").verifies
    metric = stage(whole, "production").steps[3].settings
    assert metric["query"] == 'error_rate{service="{service}",target="{target}"}'
    assert metric["below"] == 0.005


def test_retries_are_read_from_the_settings_of_a_step() -> None:
    text = SMALLEST + "    steps: [{notify: {to: ops, retries: 0}}]\n"
    assert read_pipeline(text).stages[0].steps == (StepForm("notify", {"to": "ops"}, retries=0),)


def test_approval_rules_are_read_with_their_defaults(whole: PipelineForm) -> None:
    assert stage(whole, "production").approvals == (
        ApprovalForm("release managers", 1, ("role:release manager",)),
        ApprovalForm(
            "security",
            1,
            ("group:security",),
            exclude=("requester", "authors"),
            expires=timedelta(days=7),
            fallback="group:platform",
            when="risk.score >= 0.6",
        ),
    )


def test_a_bare_word_among_approvers_is_a_group_and_a_team_keeps_its_role() -> None:
    rule = (
        "{from: [security, 'team: shop : release manager', user:mira], exclude: [], fallback: ops}"
    )
    form = read_pipeline(SMALLEST + f"    approvals: [{rule}]\n    distinct: true\n")
    approval = form.stages[0].approvals[0]
    assert approval.from_ == ("group:security", "team:shop:release manager", "user:mira")
    assert approval.exclude == () and approval.fallback == "group:ops" and form.stages[0].distinct


def test_windows_fields_and_waves_are_read(whole: PipelineForm) -> None:
    production = stage(whole, "production")
    opens = datetime(2026, 1, 5, 8, 0)
    window = Window(
        start=opens,
        zone="Europe/Berlin",
        duration=timedelta(hours=8),
        rrule="FREQ=WEEKLY;BYDAY=MO,TU,WE,TH",
    )
    assert production.windows == WindowsForm(allow=(window,), deny=())
    assert production.ask == (
        AskForm("reason", required=True),
        AskForm("ticket", pattern=r"^CHG-\d+$"),
    )
    assert production.strategy == "waves"
    assert production.waves == (
        WaveForm(("eu-1",), timedelta(minutes=30)),
        WaveForm(("eu-2", "us-1")),
    )


def test_all_but_service_name_and_environment_has_a_default() -> None:
    form = read_pipeline(SMALLEST)
    assert form == PipelineForm(
        service="shop",
        version_pattern=r"^v?(\d+\.\d+\.\d+\S*)$",
        artifacts=("shop",),
        repositories={},
        stages=(StageForm("live", "production"),),
    )


def test_a_stage_that_checks_bytes_checks_them_on_rollback_too_unless_told_otherwise() -> None:
    gates = SMALLEST + "    gates: [checksum]\n"
    assert read_pipeline(gates).stages[0].rollback_gates == (GateForm("checksum"),)
    told = gates + "    rollback: {gates: [], freezes_apply: true, approvals: [{from: [ops]}]}\n"
    rollback = read_pipeline(told).stages[0]
    assert rollback.rollback_gates == () and rollback.freezes_apply_to_rollback
    assert rollback.rollback_approvals[0].from_ == ("group:ops",)


def test_a_choice_and_a_link_can_be_asked_for() -> None:
    text = SMALLEST + "    ask: [{name: impact, choices: [low, high]}, {name: plan, kind: link}]\n"
    assert read_pipeline(text).stages[0].ask == (
        AskForm("impact", choices=("low", "high"), kind="choice"),
        AskForm("plan", kind="link"),
    )


def test_break_glass_can_be_held_by_freezes() -> None:
    text = SMALLEST + "    break_glass: {freezes_apply: true}\n"
    assert read_pipeline(text).stages[0].freezes_apply_to_break_glass


def test_each_key_remembers_its_line(whole: PipelineForm) -> None:
    lines = WHOLE.splitlines()
    assert "soak: {for: 24h}" in lines[whole.line_of("stages[2].gates[1].for") - 1]
    assert "name: production" in lines[whole.stages[2].line - 1]
    assert whole.line_of("stages[2].gates[1].nothing") == whole.line_of("stages[2].gates[1]")


@pytest.mark.parametrize("text", [WHOLE, SMALLEST])
def test_the_normal_form_reads_back_as_the_same_pipeline(text: str) -> None:
    form = read_pipeline(text)
    document = pipeline_document(form)
    assert read_document(document) == form
    assert pipeline_document(read_document(document)) == document


def test_comments_and_order_of_keys_do_not_change_the_normal_form() -> None:
    other = "# note\nstages: [{environment: production, name: live, auto: false}]\nservice: shop\n"
    assert pipeline_document(read_pipeline(other)) == pipeline_document(read_pipeline(SMALLEST))


def test_anchors_aliases_and_merge_keys_are_read() -> None:
    text = """\
service: shop
stages:
  - &base {name: staging, environment: staging, queue: fifo, gates: &gates [{soak: {for: 2h}}]}
  - {<<: *base, name: live, environment: production, gates: *gates}
"""
    first, second = read_pipeline(text).stages
    assert second.queue == "fifo" and second.name == "live" and second.gates == first.gates


def test_how_soon_a_broken_glass_is_reviewed_is_the_pipelines_to_say() -> None:
    text = SMALLEST + "    break_glass: {review_within: 24h}\n"
    form = read_pipeline(text)
    assert form.stages[0].review_within == timedelta(hours=24)
    assert pipeline_document(form)["stages"][0]["break_glass"]["review_within"] == "1d"
    assert read_pipeline(SMALLEST).stages[0].review_within is None
