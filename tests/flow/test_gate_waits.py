"""Since when, until when and why each gate held a promotion; what a decision was made on."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from promotion.actions.advance import advance
from promotion.actions.approve import Choice, decide
from promotion.actions.promote import Request, ask_for_promotion
from promotion.models import Approval, GateWait, Promotion, Role
from promotion.rules.readiness import GateSaid, Ready, judge_readiness
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_person,
    make_pipeline,
    make_release,
    make_release_manager,
    make_service,
)

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def ask(*, in_staging: bool) -> Promotion:
    service, places = make_service(), make_environments()
    make_pipeline(service, at=NOW - DAY)
    release = make_release(service, "1.4.0", at=NOW - DAY)
    make_deployment(release, places["dev"], at=NOW - 3 * HOUR)
    if in_staging:
        make_deployment(release, places["staging"], at=NOW - 2 * HOUR)
    person = make_person("mei", Role.RELEASE_MANAGER)
    asked = Request(release, places["production"], person=person)
    return ask_for_promotion(asked, at=NOW).promotion


def waits() -> list[tuple]:
    """To the minute: asking the gates takes its own time."""
    rows = GateWait.objects.order_by("gate", "since")
    return [(one.gate, one.rule, whole(one.since), whole(one.until)) for one in rows]


def whole(at: datetime | None) -> datetime | None:
    return at and at.replace(second=0, microsecond=0)


def test_a_wait_names_the_approval_rule_and_ends_with_the_start():
    promotion = ask(in_staging=True)
    advance(promotion.pk, at=NOW)
    assert waits() == [("approval", "release managers", NOW, None)]

    advance(promotion.pk, at=NOW + HOUR)
    assert waits() == [("approval", "release managers", NOW, None)]

    choice = Choice(Approval.Decision.APPROVE, Promotion.objects.get().content_hash)
    decide(promotion.pk, choice, person=make_release_manager(), at=NOW + 2 * HOUR)
    advance(promotion.pk, at=NOW + 2 * HOUR)
    promotion.refresh_from_db()
    assert whole(promotion.started_at) == NOW + 2 * HOUR
    assert waits() == [("approval", "release managers", NOW, None)]


def test_a_gate_that_opens_while_another_holds_ends_its_own_wait():
    promotion = ask(in_staging=False)
    advance(promotion.pk, at=NOW)
    assert {gate for gate, *_ in waits()} == {"approval", "order"}

    make_deployment(
        promotion.release,
        make_environments()["staging"],
        at=NOW + 3 * HOUR,
    )
    advance(promotion.pk, at=NOW + 4 * HOUR)
    found = {gate: until for gate, _, _, until in waits()}
    assert found == {"approval": None, "order": NOW + 4 * HOUR}


def test_a_decision_keeps_the_verdict_and_the_gates_it_was_made_on():
    promotion = ask(in_staging=True)
    advance(promotion.pk, at=NOW)
    choice = Choice(Approval.Decision.APPROVE, Promotion.objects.get().content_hash)

    kept = decide(promotion.pk, choice, person=make_release_manager(), at=NOW + HOUR).readiness

    assert kept["verdict"] == "ready"
    assert {gate["gate"] for gate in kept["gates"]} == {"order", "window", "lock", "approval"}
    assert all(gate["measured_at"] for gate in kept["gates"])


def test_a_decision_before_any_gate_was_evaluated_keeps_nothing():
    promotion = ask(in_staging=True)
    choice = Choice(Approval.Decision.APPROVE, Promotion.objects.get().content_hash)

    assert decide(promotion.pk, choice, person=make_release_manager(), at=NOW).readiness == {}


def said(gate: str, verdict: str, **more) -> GateSaid:
    return GateSaid(gate, gate.title(), more.pop("is_required", True), verdict, f"{gate}.", **more)


@pytest.mark.parametrize(
    ("gates", "verdict"),
    [
        ([said("order", "open"), said("approval", "waiting")], Ready.READY),
        ([said("order", "open"), said("soak", "waiting")], Ready.NOT_YET),
        ([said("tests", "closed"), said("soak", "waiting")], Ready.NOT_READY),
        ([said("tests", "closed", is_required=False)], Ready.READY),
        ([said("tests", "open", is_passed=True)], Ready.READY),
        ([], Ready.READY),
    ],
)
def test_readiness_is_what_every_gate_but_the_approval_says(gates, verdict):
    assert judge_readiness(gates).verdict is verdict


def test_readiness_tells_what_was_let_past_and_what_only_advises():
    told = judge_readiness(
        [said("tests", "open", is_passed=True), said("debt", "closed", is_required=False)]
    )
    assert "Let past: Tests." in told.reason
    assert "Advisory, and not open: Debt." in told.reason


def test_the_page_of_a_promotion_shows_its_readiness_and_what_was_decided_on(client):
    promotion = ask(in_staging=True)
    advance(promotion.pk, at=NOW)
    ines = make_release_manager()
    client.force_login(ines)
    address = reverse("promotion-detail", args=[promotion.pk])
    assert "Release readiness: ready." in client.get(address).content.decode()

    choice = Choice(Approval.Decision.APPROVE, Promotion.objects.get().content_hash)
    decide(promotion.pk, choice, person=ines, at=NOW + HOUR)
    advance(promotion.pk, at=NOW + HOUR)

    assert "Decided on: ready. Every required gate is open." in client.get(address).content.decode()
