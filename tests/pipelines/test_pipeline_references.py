"""What a pipeline names must exist, and each gate and step must accept its settings."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from promotion.rules.pipeline import (
    KnownNames,
    read_pipeline,
    reference_problems,
    settings_problems,
)

WHOLE = read_pipeline((Path(__file__).parent / "whole-form.yaml").read_text())
KNOWN = KnownNames(
    services=frozenset({"shipment-api"}),
    environments={"dev": (), "staging": (), "production": ("eu-1", "eu-2", "us-1")},
    connections=frozenset({"registry-main", "registry-prod", "gitops", "prometheus", "releases"}),
    groups=frozenset({"security", "platform"}),
    teams=frozenset({"meridian"}),
    users=frozenset({"mira"}),
)
HEAD = "service: shop\nstages:\n  - name: live\n    environment: live\n"
SHOP = replace(KNOWN, services=frozenset({"shop"}), environments={"live": ("eu-1", "us-1")})


def accept(settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return ()


GATES = dict.fromkeys({gate.kind for stage in WHOLE.stages for gate in stage.gates}, accept)
STEPS = dict.fromkeys({step.kind for stage in WHOLE.stages for step in stage.steps}, accept)


def test_the_whole_form_has_no_problem_where_everything_exists() -> None:
    assert reference_problems(WHOLE, KNOWN) == ()
    assert settings_problems(WHOLE, GATES, STEPS) == ()


@pytest.mark.parametrize(
    ("known", "key", "words"),
    [
        (replace(KNOWN, services=frozenset({"shipment-apl"})), "service", 'mean "shipment-apl"'),
        (replace(KNOWN, environments={}), "stages[0].environment", 'no environment "dev"'),
        (replace(KNOWN, connections=frozenset()), "repositories.staging", "registry-main"),
        (replace(KNOWN, connections=frozenset()), "stages[0].steps[0].repository", "gitops"),
        (replace(KNOWN, connections=frozenset()), "stages[2].steps[3].connection", "prometheus"),
        (
            replace(KNOWN, groups=frozenset({"platform"})),
            "stages[2].approvals[1].from[0]",
            "security",
        ),
        (
            replace(KNOWN, groups=frozenset({"security"})),
            "stages[2].approvals[1].fallback",
            "platform",
        ),
    ],
)
def test_what_does_not_exist_is_named_with_its_line(
    known: KnownNames, key: str, words: str
) -> None:
    found = {problem.key: problem for problem in reference_problems(WHOLE, known)}
    assert words in found[key].sentence
    assert found[key].line == WHOLE.line_of(key) > 0


@pytest.mark.parametrize(
    ("rest", "key", "words"),
    [
        (
            "rollout: {waves: [{targets: [eu-1]}]}",
            "stages[0].rollout.waves",
            '"us-1" of live is in no',
        ),
        (
            "rollout: {waves: [{targets: [eu-1, us-1, us-2]}]}",
            "stages[0].rollout.waves[0].targets[2]",
            'no target "us-2"',
        ),
        ("steps: [{oci-copy: {to: live}}]", "stages[0].steps[0].to", "not in repositories"),
        ("approvals: [{from: ['user:miro']}]", "stages[0].approvals[0].from[0]", 'mean "mira"'),
        ("approvals: [{from: ['team:x:member']}]", "stages[0].approvals[0].from[0]", 'team "x"'),
        (
            "rollback: {approvals: [{from: [nobody]}]}",
            "stages[0].rollback.approvals[0].from[0]",
            'group "nobody"',
        ),
    ],
)
def test_targets_places_and_people_must_exist(rest: str, key: str, words: str) -> None:
    form = read_pipeline(HEAD + f"    {rest}\n")
    assert [(p.line, p.key) for p in reference_problems(form, SHOP)] == [(5, key)]
    assert words in reference_problems(form, SHOP)[0].sentence


def test_a_step_for_each_target_needs_targets() -> None:
    form = read_pipeline(HEAD + "    steps: [{notify: {to: '{target}'}}]\n")
    assert reference_problems(form, SHOP) == ()
    found = reference_problems(form, replace(SHOP, environments={"live": ()}))
    assert [problem.key for problem in found] == ["stages[0].steps[0]"]


def test_unknown_kinds_are_named_with_the_nearest_known_one() -> None:
    form = read_pipeline(HEAD + "    gates: [sook]\n    steps:\n      - notfy: {to: x}\n")
    first, second = settings_problems(form, GATES, STEPS)
    assert (first.line, first.key) == (5, "stages[0].gates[0]") and '"soak"' in first.sentence
    assert (second.line, second.key) == (7, "stages[0].steps[0]") and '"notify"' in second.sentence


def test_what_a_checker_says_gets_the_line_of_its_setting() -> None:
    def refuse_for(settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        yield "for", f"{settings['for']} is too long."
        yield "", "This gate is never enough."

    text = HEAD + "    gates:\n      - soak:\n          for: 99d\n    rollback: {gates: [lock]}\n"
    found = settings_problems(read_pipeline(text), {**GATES, "soak": refuse_for}, {})
    assert [(p.line, p.key, p.sentence) for p in found] == [
        (6, "stages[0].gates[0]", "This gate is never enough."),
        (7, "stages[0].gates[0].for", "99d is too long."),
    ]


def test_when_of_an_approval_rule_is_checked_as_an_expression() -> None:
    def refuse(settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        yield "if", f"{settings['if']} is no expression."

    form = read_pipeline(HEAD + "    approvals:\n      - {when: 'risk >', from: [security]}\n")
    found = settings_problems(form, {"expression": refuse}, {})
    assert [(p.line, p.key, p.sentence) for p in found] == [
        (6, "stages[0].approvals[0].when", "risk > is no expression.")
    ]


def test_a_checksum_gate_taken_over_for_rollback_is_not_reported_twice() -> None:
    form = read_pipeline(HEAD + "    gates: [checksum]\n")
    assert [problem.key for problem in settings_problems(form, {}, {})] == ["stages[0].gates[0]"]
