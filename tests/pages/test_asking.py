"""The request form: the choices, the verdict before the click, the request."""

from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from promotion.models import GateResult, Promotion, User
from tests import factories
from tests.parts.promotion_story import HOUR, NOW, PIPELINE, Story, tell_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell_story()


def open_form(client: Client, person: User, **query: Any) -> HttpResponse:
    client.force_login(person)
    with time_machine.travel(NOW, tick=False):
        return client.get("/promotions/new/", query)


def send(client: Client, story: Story, person: User, **data: Any) -> HttpResponse:
    client.force_login(person)
    wish = {"release": story.new.pk, "environment": "production", "kind": "normal"}
    with time_machine.travel(NOW, tick=False):
        return client.post("/promotions/new/", {**wish, **data})


def text_of(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


def test_the_choices_open_one_after_the_other(client: Client, story: Story) -> None:
    html = text_of(open_form(client, story.tomasz))
    assert "shipment-api · Shipping" in html
    assert 'name="release"' not in html
    html = text_of(open_form(client, story.tomasz, service="shipment-api"))
    assert f'<option value="{story.new.pk}">4.18.0</option>' in html
    assert '<option value="production">Production</option>' in html


def test_another_service_forgets_the_release_of_the_first(client: Client, story: Story) -> None:
    factories.make_service("rates")
    html = text_of(open_form(client, story.tomasz, service="rates", release=story.new.pk))
    assert "rates has no release yet" in html
    assert "rates has no pipeline" in html


def test_the_verdict_is_shown_and_nothing_is_written(client: Client, story: Story) -> None:
    response = open_form(client, story.tomasz, release=story.new.pk, environment="production")
    html = text_of(response)
    assert response.status_code == 200
    assert "It would wait." in html
    assert "Waits for 2 from release managers" in html
    assert "1 waiting, 3 passed" in html
    assert "Reason" in html
    assert not Promotion.objects.exists()
    assert not GateResult.objects.exists()


def test_who_would_have_to_approve_and_when_it_could_go_stand_before_the_click(
    client: Client, story: Story
) -> None:
    html = text_of(open_form(client, story.tomasz, release=story.new.pk, environment="production"))
    assert "2 from release managers" in html
    assert "Daniel Okafor, Ines Halvorsen or Priya Raman can approve" in html
    assert "not known: it waits for what somebody does or what arrives" in html
    own = text_of(open_form(client, story.ines, release=story.new.pk, environment="production"))
    assert "Daniel Okafor or Priya Raman can approve" in own
    free = text_of(open_form(client, story.tomasz, release=story.new.pk, environment="staging"))
    assert "Nobody has to approve it." in free
    assert "<dt>Earliest</dt><dd>at once</dd>" in free


def test_too_few_who_may_approve_is_said_before_anybody_waits(client: Client, story: Story) -> None:
    factories.make_pipeline(story.service, PIPELINE.replace("count: 2", "count: 9"))
    html = text_of(open_form(client, story.tomasz, release=story.new.pk, environment="production"))
    assert "Too few people are left who may approve." in html
    assert "Only Daniel Okafor, Ines Halvorsen or Priya Raman are left who may" in html


def test_a_release_not_good_upstream_would_be_held(client: Client, story: Story) -> None:
    unknown = factories.make_release(story.service, "5.0.0", at=NOW - HOUR)
    html = text_of(open_form(client, story.tomasz, release=unknown.pk, environment="production"))
    assert "It would be held until somebody changes something." in html


def test_one_that_could_start_at_once_says_so(client: Client, story: Story) -> None:
    html = text_of(open_form(client, story.tomasz, release=story.new.pk, environment="staging"))
    assert "It would start at once." in html


def test_an_open_request_is_shown_instead(client: Client, story: Story) -> None:
    promotion = story.ask()
    html = text_of(open_form(client, story.tomasz, release=story.new.pk, environment="production"))
    assert f"{promotion.number} asks for this already." in html
    response = send(client, story, story.tomasz, **{"asked-reason": "Again"})
    assert response["Location"] == f"/promotions/{promotion.pk}/"
    assert Promotion.objects.count() == 1
    html = text_of(client.get(response["Location"]))
    assert f"{promotion.number} is open already; nothing new was asked for." in html


def test_it_says_which_request_gives_way(client: Client, story: Story) -> None:
    promotion = story.ask()
    newer = factories.make_release(story.service, "4.19.0", at=NOW - HOUR)
    html = text_of(open_form(client, story.tomasz, release=newer.pk, environment="production"))
    assert f'It takes the place of <a href="/promotions/{promotion.pk}/">' in html


def test_asking_makes_the_promotion_with_its_answers(client: Client, story: Story) -> None:
    answers = {
        "asked-reason": "Pallets",
        "asked-ticket": "CHG-12",
        "not_before": "2026-11-24T08:00",
    }
    response = send(client, story, story.tomasz, **answers)
    promotion = Promotion.objects.get()
    assert response["Location"] == f"/promotions/{promotion.pk}/"
    assert promotion.fields == {"reason": "Pallets", "ticket": "CHG-12"}
    assert promotion.requested_by == story.tomasz
    assert promotion.not_before is not None
    assert promotion.not_before.isoformat() == "2026-11-24T08:00:00+00:00"


def test_a_missing_answer_is_said_under_its_field(client: Client, story: Story) -> None:
    response = send(client, story, story.tomasz)
    assert response.status_code == 400
    assert 'id="id_asked-reason_error"' in text_of(response)
    assert not Promotion.objects.exists()


def test_an_answer_that_does_not_fit_keeps_what_was_typed(client: Client, story: Story) -> None:
    answers = {"asked-reason": "Pallets", "asked-ticket": "twelve"}
    response = send(client, story, story.tomasz, **answers)
    html = text_of(response)
    assert response.status_code == 400
    assert "ticket must match ^CHG-[0-9]+$" in html
    assert 'value="twelve"' in html
    assert not Promotion.objects.exists()


def test_who_may_not_ask_sees_why_and_is_refused(client: Client, story: Story) -> None:
    html = text_of(open_form(client, story.viewer, release=story.new.pk, environment="production"))
    assert "takes a member or release manager of Shipping." in html
    response = send(client, story, story.viewer, **{"asked-reason": "x"})
    assert response.status_code == 403
    assert "Nothing was asked for." in text_of(response)
    assert not Promotion.objects.exists()


def test_a_vetoed_release_is_refused(client: Client, story: Story) -> None:
    story.new.vetoed_at, story.new.veto_reason = NOW - HOUR, "Loses parcels."
    story.new.save()
    html = text_of(open_form(client, story.tomasz, release=story.new.pk, environment="production"))
    assert "shipment-api 4.18.0 was vetoed: Loses parcels." in html
    response = send(client, story, story.tomasz, **{"asked-reason": "x"})
    assert response.status_code == 403


def test_an_environment_without_a_stage_is_refused_with_a_sentence(
    client: Client, story: Story
) -> None:
    factories.make_environment("dev")
    response = open_form(client, story.tomasz, release=story.new.pk, environment="dev")
    assert response.status_code == 400
    assert "has no stage for dev" in text_of(response)


@pytest.mark.parametrize("release", ["0", "x", "99999999999999999999", "²"])
def test_a_release_nobody_has_leaves_the_choice_open(
    client: Client, story: Story, release: str
) -> None:
    response = open_form(client, story.tomasz, release=release, environment="production\x00")
    assert response.status_code == 200
    assert "Choose what goes where" in text_of(response)


def test_fields_of_every_kind_are_drawn(client: Client, story: Story) -> None:
    asks = (
        "ask: [{{name: impact, choices: [low, high]}}, {{name: plan, kind: link, required: true}}]"
    )
    text = PIPELINE.replace("    after: [staging]\n", f"    after: [staging]\n    {asks}\n")
    text = "\n".join(
        line
        for line in text.splitlines()
        if "name: reason" not in line and "name: ticket" not in line
    )
    text = text.replace("    ask:\n", "", 1)
    factories.make_pipeline(story.service, text, at=NOW - HOUR)
    html = text_of(open_form(client, story.tomasz, release=story.new.pk, environment="production"))
    assert '<option value="high">high</option>' in html
    response = send(client, story, story.tomasz, **{"asked-plan": "javascript:alert(1)"})
    assert "plan must be a link that begins with https://." in text_of(response)
