"""A pause between waves that waits for a person: who may let it go on, by page and API, and the record."""

from datetime import timedelta

import pytest
from django.test import Client

from promotion.actions.advance import advance
from promotion.actions.cancel import cancel_promotion
from promotion.actions.execute import execute
from promotion.actions.go_on import go_on, pause_of
from promotion.actions.promote import Request, ask_for_promotion
from promotion.exceptions import ConflictError, NotAllowedError
from promotion.models import AuditEntry, Promotion, Role, StepRun, Token
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_environment,
    make_person,
    make_pipeline,
    make_release,
    make_release_manager,
    make_service,
    make_token,
)

pytestmark = pytest.mark.django_db

PIPELINE = """
service: shipment-api
stages:
  - name: production
    environment: production
    rollout:
      waves: [{targets: [eu-1], pause: person}, {targets: [us-1]}]
    steps:
      - pause: {for: 1s}
"""


def run(promotion: Promotion, at=NOW) -> None:
    while (found := advance(promotion.pk, at=at).step_run) and execute(found, now=lambda: at):
        pass
    promotion.refresh_from_db()


@pytest.fixture
def promotion() -> Promotion:
    service = make_service()
    make_pipeline(service, PIPELINE)
    place = make_environment("production", targets=("eu-1", "us-1"))
    wish = Request(make_release(service), place, person=make_person("tomasz", Role.MEMBER))
    made = ask_for_promotion(wish, at=NOW).promotion
    run(made)
    run(made, NOW + timedelta(seconds=1))
    return made


def test_it_waits_however_long_until_one_of_those_asked_lets_it_go_on(
    promotion: Promotion,
) -> None:
    late = NOW + timedelta(days=3)
    run(promotion, late)
    paused = pause_of(promotion.pk)
    assert paused is not None
    assert paused.wave == 0
    ines = make_release_manager()
    go_on(paused.pk, person=ines, at=late)
    run(promotion, late)
    run(promotion, late + timedelta(seconds=1))
    assert promotion.state == State.SUCCEEDED
    entry = AuditEntry.objects.get(action="step.go_on")
    assert (entry.actor, entry.details["targets"]) == (ines, ["eu-1"])
    assert "let it go on" in StepRun.objects.get(pk=paused.pk).message


def test_who_is_not_asked_may_not_and_nobody_may_twice(promotion: Promotion) -> None:
    paused = pause_of(promotion.pk)
    assert paused is not None
    with pytest.raises(NotAllowedError, match="release manager of Shipping"):
        go_on(paused.pk, person=promotion.requested_by, at=NOW)
    go_on(paused.pk, person=make_release_manager(), at=NOW)
    with pytest.raises(ConflictError):
        go_on(paused.pk, person=make_release_manager("priya"), at=NOW)


def test_a_promotion_that_stops_does_not_go_on(promotion: Promotion) -> None:
    paused = pause_of(promotion.pk)
    assert paused is not None
    cancel_promotion(promotion.pk, person=promotion.requested_by, reason="Bad", at=NOW)
    with pytest.raises(ConflictError):
        go_on(paused.pk, person=make_release_manager(), at=NOW)
    run(promotion, NOW)
    assert promotion.state == State.CANCELLED


def test_the_page_offers_it_to_those_asked_and_the_inbox_shows_it(promotion: Promotion) -> None:
    paused = pause_of(promotion.pk)
    assert paused is not None
    client = Client()
    client.force_login(promotion.requested_by)
    page = client.get(f"/promotions/{promotion.pk}/").content.decode()
    assert "It pauses after wave 1 of 2 until somebody lets it go on" in page
    assert 'aria-describedby="why-go-on"' in page
    refused = client.post(f"/promotions/{promotion.pk}/steps/{paused.pk}/go-on/")
    assert "may not let" in refused.content.decode()
    client.force_login(make_release_manager())
    assert "why-go-on" not in client.get(f"/promotions/{promotion.pk}/").content.decode()
    inbox = client.get("/inbox/?view=failed").content.decode()
    assert "A pause waits until somebody lets it go on." in inbox
    answer = client.post(f"/promotions/{promotion.pk}/steps/{paused.pk}/go-on/", follow=True)
    assert "It goes on." in answer.content.decode()
    paused.refresh_from_db()
    assert paused.gone_on_by is not None
    assert client.get(f"/promotions/{promotion.pk}/steps/{paused.pk}/go-on/").status_code == 405


def test_the_api_lets_it_go_on_as_the_tokens_person(promotion: Promotion) -> None:
    ines = make_release_manager()
    _, secret = make_token(Token.Scope.PROMOTE, user=ines)
    head = {"Authorization": f"Bearer {secret}"}
    address = f"/api/v1/promotions/{promotion.pk}/go-on"
    answer = Client().post(address, headers=head)
    assert answer.status_code == 200, answer.content
    assert AuditEntry.objects.get(action="step.go_on").details["token"]["name"] == "test"
    assert Client().post(address, headers=head).status_code == 409
    assert Client().post(address).status_code == 401
