"""The expression gate, and the conditions of approval rules, over the facts on record."""

from datetime import timedelta

import pytest

from promotion.gates.approval import approval_facts, approvals_given
from promotion.gates.base import GateContext, GateOutcome, Verdict
from promotion.gates.facts import facts_of
from promotion.gates.known import GATES
from promotion.models import Promotion
from promotion.rules.expressions import FACTS
from tests.factories import (
    NOW,
    make_commit,
    make_deployment,
    make_environments,
    make_pipeline,
    make_promotion,
    make_release,
    make_release_manager,
    make_service,
)

pytestmark = pytest.mark.django_db

GATE = GATES["expression"]
WITH_CONDITION = """
service: shipment-api
stages:
  - name: production
    environment: production
    approvals:
      - {name: managers, count: 1, from: ["role:release manager"]}
      - {name: second look, count: 1, from: ["role:release manager"], when: "risk.score >= 0.6"}
"""


def promote(*, failed: int = 0, deployments: int = 10, text: str | None = None) -> Promotion:
    """A promotion of two commits into a lane of so many deployments, so many of which failed."""
    service, production = make_service(), make_environments()["production"]
    if text:
        make_pipeline(service, text)
    first = make_commit(service, "First")
    second = make_commit(service, "Second", parent=first, author="mira")
    third = make_commit(service, "Third", parent=second)
    old = make_release(service, "4.17.0", commit=first.sha)
    release = make_release(service, "4.18.0", commit=third.sha)
    for number in range(deployments):
        result = "failed" if number < failed else "succeeded"
        make_deployment(old, production, at=NOW - timedelta(days=number + 1), result=result)
    return make_promotion(release, production, replaces=old)


def ask(promotion: Promotion, condition: str) -> GateOutcome:
    form = promotion.pipeline_version.form
    stage = form.stage(promotion.stage)
    return GATE.evaluate(GateContext(promotion, form, stage, {"if": condition}, NOW))


def test_the_facts_are_those_declared_and_come_from_the_record() -> None:
    promotion = promote(failed=1)
    facts = facts_of(promotion, NOW)
    assert facts.keys() == FACTS.keys()
    assert facts["promotion.number"] == promotion.number
    assert (facts["promotion.tier"], facts["service.team"]) == ("production", "shipping")
    assert (facts["release.commits"], facts["release.authors"]) == (2, 2)
    assert facts["release.artifacts"] == [
        {"name": "shipment-api", "digest": promotion.release.digests[0]}
    ]
    assert facts["promotion.is_first"] is False
    assert facts["risk.failures"] == 0.1
    assert facts["risk.score"] == pytest.approx(1 - 0.9 * (1 - 2 / 12 / 2))


def test_what_happens_later_is_no_fact_yet() -> None:
    promotion = promote()
    make_deployment(
        promotion.release, promotion.environment, at=NOW + timedelta(hours=1), result="failed"
    )
    assert facts_of(promotion, NOW)["risk.failures"] == 0.0


def test_true_opens_it_and_false_closes_it_with_the_expression_in_the_reason() -> None:
    promotion = promote()
    assert ask(promotion, "risk.score < 0.8").verdict == Verdict.OPEN
    outcome = ask(promotion, "release.commits > 5")
    assert (outcome.verdict, outcome.reason) == (Verdict.CLOSED, "release.commits > 5 is false.")


def test_what_cannot_be_told_closes_it() -> None:
    promotion = promote(deployments=2)
    outcome = ask(promotion, "risk.score < 0.8")
    assert outcome.verdict == Verdict.CLOSED
    assert "risk.score is not known here" in outcome.reason
    assert ask(promotion, "release.artifacts[0].none == ''").verdict == Verdict.CLOSED
    assert ask(promotion, "nonsense").verdict == Verdict.CLOSED


def test_settings_are_checked() -> None:
    assert list(GATE.problems_in({"if": "risk.score < 0.8"})) == []
    assert [key for key, _ in GATE.problems_in({"if": "risk.score < 'a'", "deep": 1})] == [
        "deep",
        "if",
    ]
    assert [key for key, _ in GATE.problems_in({})] == ["if"]


@pytest.mark.parametrize(
    ("failed", "deployments", "binds"),
    [(0, 10, False), (9, 10, True), (0, 2, True)],
    ids=["false", "true", "cannot be told"],
)
def test_a_rule_binds_while_its_condition_is_true_and_where_it_cannot_be_told(
    failed: int, deployments: int, binds: bool
) -> None:
    make_release_manager()
    promotion = promote(failed=failed, deployments=deployments, text=WITH_CONDITION)
    verdict = approval_facts(promotion, NOW).verdict
    assert {name: rule.met for name, rule in verdict.rules.items()} == (
        {"managers": False, "second look": False}
        if binds
        else {"managers": False, "second look": True}
    )
    assert approvals_given(promotion, NOW).rules["second look"].met is not binds
