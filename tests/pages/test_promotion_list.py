"""The list of promotions: filters in the address, pages by the last row."""

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from promotion.rules.states import State
from tests import factories
from tests.parts.promotion_story import HOUR, NOW, Story, tell_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell_story()


def open_list(client: Client, story: Story, **query: str) -> str:
    client.force_login(story.viewer)
    with time_machine.travel(NOW, tick=False):
        response = client.get("/promotions/", query)
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_list_says_what_will_appear(client: Client, story: Story) -> None:
    html = open_list(client, story)
    assert "Nothing was promoted yet" in html
    assert "No promotion is open." in html


def test_it_shows_state_gates_approvals_and_who_asked(client: Client, story: Story) -> None:
    promotion = story.ask()
    html = open_list(client, story)
    assert "1 promotion waits, 0 are running." in html
    assert promotion.number in html
    assert "0 of 2 approvals" in html
    assert "Tomasz Wrona" in html


@pytest.mark.parametrize(
    ("name", "value", "other"),
    [
        ("state", "waiting", "running"),
        ("service", "shipment-api", "rates"),
        ("environment", "production", "staging"),
        ("team", "shipping", "pricing"),
    ],
)
def test_filters_stand_in_the_address(
    client: Client, story: Story, name: str, value: str, other: str
) -> None:
    number = story.ask().number
    assert number in open_list(client, story, **{name: value})
    html = open_list(client, story, **{name: other})
    assert number not in html
    assert "No promotions match" in html
    assert "Clear" in html


def test_pages_follow_one_another_without_gaps(client: Client, story: Story) -> None:
    made = [
        factories.make_promotion(
            story.new, story.production, state=State.CANCELLED, at=NOW - number * HOUR
        ).number
        for number in range(1, 61)
    ]
    first = open_list(client, story, state="cancelled")
    cursor = first.split('rel="next"')[0].rsplit("cursor=", 1)[1].split("&amp;")[0].split('"')[0]
    client.force_login(story.viewer)
    second = client.get(f"/promotions/?state=cancelled&cursor={cursor}").content.decode()
    shown = [number for number in made if f">{number}<" in first]
    assert shown == made[:50]
    assert [number for number in made if f">{number}<" in second] == made[50:]


def test_a_cursor_nobody_made_is_the_first_page(client: Client, story: Story) -> None:
    number = story.ask().number
    assert number in open_list(client, story, cursor="whatever~\x00")


def test_the_number_of_queries_does_not_grow_with_the_list(client: Client, story: Story) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/promotions/")
        return len(queries)

    client.force_login(story.viewer)
    story.ask()
    few = count()
    for number in range(6):
        tell_story(f"service-{number}").ask()
    assert count() == few
