"""What may be done with a promotion: each act by POST, each refusal with its sentence and nothing changed."""

from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from promotion.models import Approval, Hold, Promotion, User
from promotion.rules.states import State
from tests import factories
from tests.parts.promotion_story import HOUR, NOW, PIPELINE, Story, tell_story

pytestmark = pytest.mark.django_db
ACTS = ("approve", "reject", "withdraw", "cancel", "evaluate", "retry", "rollback")


@pytest.fixture
def story() -> Story:
    return tell_story()


def send(client: Client, promotion: Promotion, act: str, person: User, **data: Any) -> HttpResponse:
    client.force_login(person)
    data = {"content_hash": promotion.content_hash, **data}
    with time_machine.travel(NOW, tick=False):
        return client.post(f"/promotions/{promotion.pk}/{act}/", data)


def text_of(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


def state_of(promotion: Promotion) -> str:
    return Promotion.objects.values_list("state", flat=True).get(pk=promotion.pk)


@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_changed_by_a_get(client: Client, story: Story, act: str) -> None:
    promotion = story.ask()
    client.force_login(story.ines)
    assert client.get(f"/promotions/{promotion.pk}/{act}/").status_code == 405
    assert state_of(promotion) == "waiting"
    assert not Approval.objects.exists()


@pytest.mark.parametrize("act", ACTS)
def test_a_form_from_elsewhere_is_refused(story: Story, act: str) -> None:
    promotion = story.ask()
    client = Client(enforce_csrf_checks=True)
    assert send(client, promotion, act, story.ines).status_code == 403
    assert not Approval.objects.exists()


def test_an_approval_is_recorded_and_the_promotion_looked_at(
    client: Client, story: Story, django_capture_on_commit_callbacks: Any, monkeypatch: Any
) -> None:
    from promotion import tasks

    asked: list[int] = []
    monkeypatch.setattr(tasks.advance, "delay", asked.append)
    monkeypatch.setattr(tasks.advance, "apply_async", lambda args, kwargs: asked.append(args[0]))
    promotion = story.ask()
    with django_capture_on_commit_callbacks(execute=True):
        response = send(client, promotion, "approve", story.ines, comment="Looked at staging.")
    assert response.status_code == 302
    assert response["Location"] == f"/promotions/{promotion.pk}/"
    approval = Approval.objects.get()
    assert (approval.person, approval.decision) == (story.ines, "approve")
    assert approval.comment == "Looked at staging."
    assert asked == [promotion.pk]
    assert "Approval recorded." in text_of(client.get(response["Location"]))


def test_a_rejection_ends_the_promotion_with_its_words(client: Client, story: Story) -> None:
    promotion = story.ask()
    assert send(client, promotion, "reject", story.ines, comment="Too late.").status_code == 302
    promotion.refresh_from_db()
    assert promotion.state == "rejected"
    assert promotion.reason == "Ines Halvorsen rejected it: Too late."


def test_a_rejection_without_words_is_refused_under_the_field(client: Client, story: Story) -> None:
    promotion = story.ask()
    response = send(client, promotion, "reject", story.ines, comment="  ")
    assert response.status_code == 400
    assert "A rejection needs a comment. Nothing was recorded." in text_of(response)
    assert 'aria-describedby="comment-error"' in text_of(response)
    assert state_of(promotion) == "waiting"


def test_who_may_not_approve_is_refused(client: Client, story: Story) -> None:
    promotion = story.ask()
    response = send(client, promotion, "approve", story.tomasz)
    assert response.status_code == 403
    assert "You may not do this." in text_of(response)
    assert not Approval.objects.exists()


def test_a_changed_content_is_a_conflict_that_disables_the_buttons(
    client: Client, story: Story
) -> None:
    promotion = story.ask()
    factories.make_pipeline(story.service, PIPELINE.replace("10m", "20m"), at=NOW - HOUR / 2)
    response = send(client, promotion, "approve", story.ines, comment="My long words.")
    html = text_of(response)
    assert response.status_code == 409
    assert "has changed since the page was shown. Nothing was recorded" in html
    assert "Load the page again" in html
    assert "My long words." in html
    assert 'data-open="confirm-approve"' not in html
    assert not Approval.objects.exists()


def test_a_decision_made_meanwhile_is_shown_with_who_and_when(client: Client, story: Story) -> None:
    promotion = story.ask()
    send(client, promotion, "reject", story.priya, comment="Wait for the freeze.")
    response = send(client, promotion, "approve", story.ines)
    html = text_of(response)
    assert response.status_code == 409
    assert "Somebody was faster." in html
    assert "Priya Raman rejected it: Wait for the freeze." in html
    assert 'id="decide"' not in html


def test_a_forged_form_is_refused_with_a_sentence(client: Client, story: Story) -> None:
    promotion = story.ask()
    response = send(client, promotion, "approve", story.ines, content_hash="")
    assert response.status_code == 400
    assert "Nothing was changed." in text_of(response)
    response = send(client, promotion, "approve", story.ines, comment="x\x00y")
    assert response.status_code == 400
    assert not Approval.objects.exists()


def test_an_approval_is_withdrawn(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.approve(promotion, story.ines)
    assert send(client, promotion, "withdraw", story.ines).status_code == 302
    assert Approval.objects.last().decision == "withdraw"
    assert send(client, promotion, "withdraw", story.ines).status_code == 403


def test_a_waiting_one_is_cancelled_at_once(client: Client, story: Story) -> None:
    promotion = story.ask()
    assert send(client, promotion, "cancel", story.viewer).status_code == 403
    assert state_of(promotion) == "waiting"
    assert send(client, promotion, "cancel", story.tomasz, reason="Wrong one").status_code == 302
    assert state_of(promotion) == "cancelled"
    assert send(client, promotion, "cancel", story.tomasz).status_code == 409


def test_a_running_one_is_asked_to_stop(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    promotion.step_runs.update(state="running", lease_until=NOW + HOUR)
    response = send(client, promotion, "cancel", story.ines)
    promotion.refresh_from_db()
    assert promotion.state == "running"
    assert promotion.stop_requested_by == story.ines
    html = text_of(client.get(response["Location"]))
    assert "Ines Halvorsen asked to stop it" in html
    assert "Stopping" in html


def test_the_gates_are_asked_again(client: Client, story: Story) -> None:
    promotion = story.ask()
    promotion.gate_results.update(fresh_until=NOW + HOUR)
    assert send(client, promotion, "evaluate", story.viewer).status_code == 403
    assert send(client, promotion, "evaluate", story.tomasz).status_code == 302
    assert not promotion.gate_results.filter(fresh_until__gt=NOW).exists()
    promotion.refresh_from_db()
    assert promotion.next_look_at == NOW
    html = text_of(client.get(f"/promotions/{promotion.pk}/history/"))
    assert "<b>Tomasz Wrona</b> had the gates asked again" in html


def test_what_has_started_is_not_evaluated_again(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    assert send(client, promotion, "evaluate", story.ines).status_code == 409


def test_a_failed_one_is_asked_for_again_as_the_next_attempt(client: Client, story: Story) -> None:
    promotion = story.ask()
    assert send(client, promotion, "retry", story.tomasz).status_code == 409
    story.start(promotion)
    promotion.move_to(State.FAILED, reason="No good.", at=NOW - HOUR / 2)
    assert send(client, promotion, "retry", story.viewer).status_code == 403
    response = send(client, promotion, "retry", story.tomasz)
    again = Promotion.objects.get(retry_of=promotion)
    assert response["Location"] == f"/promotions/{again.pk}/"
    assert again.attempt == 2
    response = send(client, promotion, "retry", story.tomasz)
    assert response["Location"] == f"/promotions/{again.pk}/"
    html = text_of(client.get(response["Location"]))
    assert f"{again.number} is open already; nothing new was asked for." in html


def test_a_bad_one_is_rolled_back_by_a_release_manager(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    promotion.move_to(State.FAILED, reason="No good.", at=NOW - HOUR / 2)
    factories.make_deployment(story.new, story.production, at=NOW - HOUR / 2)
    assert send(client, promotion, "rollback", story.tomasz).status_code == 403
    response = send(client, promotion, "rollback", story.ines, reason="Errors went up.")
    undone = Promotion.objects.get(undoes=promotion)
    assert response["Location"] == f"/promotions/{undone.pk}/"
    assert undone.kind == "rollback"
    assert undone.release == story.old
    assert undone.fields["reason"] == "Errors went up."
    html = text_of(client.get(response["Location"]))
    assert f"Goes back from 4.18.0, undoing {promotion.number}." in html


@pytest.mark.parametrize(
    ("resolution", "state", "step"),
    [
        ("done", "succeeded", "succeeded"),
        ("repeat", "running", "errored"),
        ("give up", "errored", "errored"),
    ],
)
def test_a_person_says_what_became_of_a_step(
    client: Client, story: Story, resolution: str, state: str, step: str
) -> None:
    promotion = story.ask()
    story.start(promotion)
    promotion.step_runs.update(state="unknown")
    run = promotion.step_runs.get()
    act = f"steps/{run.pk}/resolve"
    assert send(client, promotion, act, story.tomasz, resolution=resolution).status_code == 403
    assert send(client, promotion, act, story.ines, resolution="perhaps").status_code == 400
    assert send(client, promotion, act, story.ines, resolution=resolution).status_code == 302
    assert state_of(promotion) == state
    run.refresh_from_db()
    assert run.state == step
    assert send(client, promotion, act, story.ines, resolution=resolution).status_code == 409


def test_a_step_of_another_promotion_is_not_found(client: Client, story: Story) -> None:
    promotion, other = story.ask(), tell_story("rate-engine").ask()
    run = factories.make_step_run(other, "pause")
    response = send(client, promotion, f"steps/{run.pk}/resolve", story.ines, resolution="done")
    assert response.status_code == 404


def test_a_hold_is_lifted_by_a_release_manager(client: Client, story: Story) -> None:
    promotion = story.ask()
    hold = Hold.objects.create(
        service=story.service, environment=story.production, made_by=promotion, made_at=NOW - HOUR
    )
    client.force_login(story.tomasz)
    html = text_of(client.get(f"/promotions/{promotion.pk}/"))
    assert "Automatic promotion of shipment-api into production is held" in html
    assert client.post(f"/holds/{hold.pk}/lift/").status_code == 403
    client.force_login(story.ines)
    assert client.post(f"/holds/{hold.pk}/lift/").status_code == 302
    hold.refresh_from_db()
    assert hold.ended_by == story.ines
    assert client.post(f"/holds/{hold.pk}/lift/").status_code == 409
