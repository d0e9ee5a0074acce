"""The inbox: what the person decides next."""

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from promotion.models import User
from promotion.rules.states import State
from tests import factories
from tests.parts.promotion_story import HOUR, NOW, Story, tell_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell_story()


def open_inbox(client: Client, person: User, view: str = "mine") -> str:
    client.force_login(person)
    with time_machine.travel(NOW, tick=False):
        response = client.get("/inbox/", {"view": view})
    assert response.status_code == 200
    return response.content.decode()


def test_it_shows_what_the_person_can_approve(client: Client, story: Story) -> None:
    story.ask()
    html = open_inbox(client, story.ines)
    assert "1 promotion needs your approval. The oldest has waited 2\u00a0h." in html
    assert "shipment-api 4.18.0 → production" in html
    assert "0 of 2 approvals" in html
    assert "3 passed" in html


def test_what_starts_with_one_approval_comes_first(client: Client, story: Story) -> None:
    other = tell_story("rate-engine")
    other.ask(at=NOW - 5 * HOUR)
    promotion = story.ask()
    story.approve(promotion, story.priya)
    html = open_inbox(client, story.ines)
    assert html.index("shipment-api 4.18.0") < html.index("rate-engine 4.18.0")
    assert "Starts when you approve" in html
    assert "1 can start as soon as you approve." in html


def test_an_empty_inbox_says_so_and_what_waits_for_others(client: Client, story: Story) -> None:
    story.ask()
    html = open_inbox(client, story.tomasz)
    assert "Nothing waits for you; 1 waits for others." in html
    assert "See what waits for others" in html


def test_what_others_decide_stands_in_the_second_view(client: Client, story: Story) -> None:
    story.ask()
    html = open_inbox(client, story.tomasz, "others")
    assert "shipment-api 4.18.0 → production" in html
    assert "Waits for 2 from release managers" in html
    assert "Nothing waits for others." in open_inbox(client, story.ines, "others")


def test_a_failure_waits_for_a_decision_until_it_is_answered(client: Client, story: Story) -> None:
    factories.make_promotion(
        story.new,
        story.production,
        state=State.FAILED,
        at=NOW - 3 * HOUR,
        started_at=NOW - 3 * HOUR,
        ended_at=NOW - 2 * HOUR,
        reason="3 of 10 checks were good.",
    )
    assert "3 of 10 checks were good." in open_inbox(client, story.ines, "failed")
    story.ask()
    assert "Nothing failed that is not answered" in open_inbox(client, story.ines, "failed")


def test_a_step_whose_outcome_is_unknown_needs_a_decision(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    promotion.step_runs.update(state="unknown")
    html = open_inbox(client, story.ines, "failed")
    assert "A step&#x27;s outcome is unknown" in html


def test_what_was_decided_is_listed_with_what_became_of_it(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.approve(promotion, story.ines)
    html = open_inbox(client, story.ines, "decided")
    assert "Approved" in html
    assert "Looks right." in html
    assert "You have decided nothing yet" in open_inbox(client, story.daniel, "decided")


def test_an_unknown_view_is_the_first(client: Client, story: Story) -> None:
    assert "Nothing waits for you" in open_inbox(client, story.ines, "whatever")


def test_the_navigation_counts_what_waits(client: Client, story: Story) -> None:
    story.ask()
    assert "waiting for you</span>" in open_inbox(client, story.ines)


def test_the_number_of_queries_does_not_grow_with_the_list(client: Client, story: Story) -> None:
    def count() -> int:
        with time_machine.travel(NOW, tick=False), CaptureQueriesContext(connection) as queries:
            client.get("/inbox/")
        return len(queries)

    client.force_login(story.ines)
    story.ask()
    few = count()
    for number in range(5):
        tell_story(f"service-{number}").ask()
    assert count() == few
