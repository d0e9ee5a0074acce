"""A promotion's way through its states, through the actions that page and API call."""

from datetime import timedelta

import pytest

from promotion.actions.advance import advance
from promotion.actions.approve import Choice, decide
from promotion.actions.cancel import cancel_promotion
from promotion.actions.promote import Request, ask_for_promotion
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Approval, AuditEntry, Hold, Promotion, Role
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_commit,
    make_deployment,
    make_environments,
    make_person,
    make_pipeline,
    make_release,
    make_release_manager,
    make_service,
)

pytestmark = pytest.mark.django_db
Decision = Approval.Decision


@pytest.fixture
def lane():
    """A service with a pipeline, its environments, and people."""
    service = make_service()
    make_pipeline(service)
    return service, make_environments()


def ask(release, environment, person=None, at=NOW, **fields):
    request = Request(release=release, environment=environment, person=person, **fields)
    return ask_for_promotion(request, at=at)


def approve(promotion, person, at=NOW, decision=Decision.APPROVE, comment=""):
    promotion.refresh_from_db()
    choice = Choice(decision, promotion.content_hash, comment)
    return decide(promotion.pk, choice, person=person, at=at)


def test_a_release_without_an_upstream_starts_and_ends_at_once(lane):
    service, places = lane
    release = make_release(service)
    promotion = ask(release, places["dev"], make_person("tomasz", Role.MEMBER)).promotion
    assert advance(promotion.pk, at=NOW).has_ended
    promotion.refresh_from_db()
    assert promotion.state == State.SUCCEEDED
    moves = [(move.from_state, move.to_state) for move in promotion.transitions.all()]
    assert moves == [("pending", "waiting"), ("waiting", "running"), ("running", "succeeded")]


def test_a_release_that_was_never_upstream_waits_with_the_reason(lane):
    service, places = lane
    promotion = ask(make_release(service), places["staging"]).promotion
    advance(promotion.pk, at=NOW)
    promotion.refresh_from_db()
    assert promotion.state == State.WAITING
    order = promotion.gate_results.get(gate="order")
    assert order.verdict == "closed"
    assert order.reason == "4.18.0 was never deployed to dev."


def test_production_starts_only_after_somebody_else_approves(lane):
    service, places = lane
    release = make_release(service)
    make_deployment(release, places["staging"], at=NOW - timedelta(hours=1))
    asker = make_release_manager("tomasz")
    manager = make_release_manager("ines")
    promotion = ask(release, places["production"], asker).promotion
    advance(promotion.pk, at=NOW)
    promotion.refresh_from_db()
    assert promotion.state == State.WAITING
    assert list(promotion.waits_for.all()) == [manager]
    with pytest.raises(NotAllowedError):
        approve(promotion, asker)
    approve(promotion, manager)
    advance(promotion.pk, at=NOW)
    promotion.refresh_from_db()
    assert promotion.state == State.SUCCEEDED


def test_an_author_of_the_change_may_not_approve_it(lane):
    service, places = lane
    first = make_commit(service, "First", author="luca")
    second = make_commit(service, "Second", parent=first, author="ines")
    old = make_release(service, "4.17.2", commit=first.sha, at=NOW - timedelta(days=3))
    new = make_release(service, "4.18.0", commit=second.sha)
    make_deployment(old, places["production"], at=NOW - timedelta(days=2))
    make_deployment(new, places["staging"], at=NOW - timedelta(hours=1))
    author = make_release_manager("ines")
    make_release_manager("daniel")
    promotion = ask(new, places["production"], make_person("tomasz", Role.MEMBER)).promotion
    with pytest.raises(NotAllowedError):
        approve(promotion, author)
    assert not promotion.approvals.exists()


def test_a_rejection_needs_a_comment_and_ends_this_request_only(lane):
    service, places = lane
    release = make_release(service)
    manager = make_release_manager()
    promotion = ask(release, places["production"], make_person("tomasz", Role.MEMBER)).promotion
    with pytest.raises(InputError):
        approve(promotion, manager, decision=Decision.REJECT)
    approve(promotion, manager, decision=Decision.REJECT, comment="Not on a Friday.")
    promotion.refresh_from_db()
    assert promotion.state == State.REJECTED
    assert ask(release, places["production"], make_person("tomasz")).is_new


def test_an_approval_of_other_content_is_refused_and_a_new_pipeline_makes_it_stale(lane):
    service, places = lane
    release = make_release(service)
    make_deployment(release, places["staging"], at=NOW - timedelta(hours=1))
    manager = make_release_manager()
    promotion = ask(release, places["production"], make_person("tomasz", Role.MEMBER)).promotion
    with pytest.raises(ConflictError):
        decide(promotion.pk, Choice(Decision.APPROVE, "sha256:other"), person=manager, at=NOW)
    approve(promotion, manager)
    make_pipeline(service)
    advance(promotion.pk, at=NOW)
    promotion.refresh_from_db()
    assert promotion.state == State.WAITING
    assert promotion.gate_results.get(gate="approval").verdict == "waiting"


def test_asking_twice_returns_the_open_request(lane):
    service, places = lane
    release = make_release(service)
    first = ask(release, places["production"])
    second = ask(release, places["production"], at=NOW + timedelta(minutes=1))
    assert first.is_new
    assert not second.is_new
    assert second.promotion == first.promotion


def test_a_newer_request_supersedes_an_older_waiting_one(lane):
    service, places = lane
    older = ask(make_release(service, "4.17.0"), places["production"]).promotion
    newer = ask(
        make_release(service, "4.18.0"), places["production"], at=NOW + timedelta(minutes=1)
    ).promotion
    older.refresh_from_db()
    assert older.state == State.SUPERSEDED
    assert newer.state == State.WAITING


def test_a_request_that_nobody_decides_expires(lane):
    service, places = lane
    promotion = ask(make_release(service), places["production"]).promotion
    advance(promotion.pk, at=NOW + timedelta(days=14))
    promotion.refresh_from_db()
    assert promotion.state == State.EXPIRED


def test_who_asked_may_cancel_and_others_may_not(lane):
    service, places = lane
    asker = make_person("tomasz", Role.MEMBER)
    promotion = ask(make_release(service), places["production"], asker).promotion
    with pytest.raises(NotAllowedError):
        cancel_promotion(promotion.pk, person=make_person("luca", Role.MEMBER), reason="", at=NOW)
    assert (
        cancel_promotion(promotion.pk, person=asker, reason="Wrong one", at=NOW).state
        == State.CANCELLED
    )


def test_a_person_without_a_role_may_not_ask(lane):
    service, places = lane
    with pytest.raises(NotAllowedError):
        ask(make_release(service), places["dev"], make_person("guest"))
    assert not Promotion.objects.exists()


def test_every_act_is_on_the_audit_record_with_its_actor(lane):
    service, places = lane
    asker = make_person("tomasz", Role.MEMBER)
    promotion = ask(make_release(service), places["dev"], asker).promotion
    advance(promotion.pk, at=NOW)
    acts = AuditEntry.objects.filter(
        subject_type="promotion", subject_id=str(promotion.pk)
    ).order_by("pk")
    assert [(act.action, act.actor_name) for act in acts] == [
        ("promotion.ask", "Tomasz"),
        ("promotion.start", "Throughline"),
        ("promotion.succeeded", "Throughline"),
    ]


def test_two_looks_at_once_start_it_once(lane):
    service, places = lane
    promotion = ask(make_release(service), places["dev"]).promotion
    assert advance(promotion.pk, at=NOW).has_ended
    assert not advance(promotion.pk, at=NOW).has_ended
    assert promotion.transitions.filter(to_state="running").count() == 1


def test_a_stage_that_only_observes_holds_nothing_and_says_what_would_have(lane):
    service, places = lane
    make_pipeline(
        service,
        "service: shipment-api\nstages:\n"
        "  - {name: dev, environment: dev}\n"
        "  - {name: staging, environment: staging, after: [dev], mode: observe}\n",
    )
    promotion = ask(make_release(service), places["staging"]).promotion
    assert advance(promotion.pk, at=NOW).has_ended
    start = promotion.transitions.get(to_state="running")
    assert "Order of stages" in start.reason


def test_a_successful_promotion_of_something_else_than_the_candidate_holds_automation(lane):
    service, places = lane
    make_pipeline(
        service, "service: shipment-api\nstages:\n  - {name: dev, environment: dev, auto: true}\n"
    )
    old = make_release(service, "4.17.0", at=NOW - timedelta(days=1))
    make_release(service, "4.18.0")
    promotion = ask(old, places["dev"], make_person("tomasz", Role.MEMBER)).promotion
    advance(promotion.pk, at=NOW)
    assert Hold.objects.get().made_by == promotion
