"""The overview: what is where, and what needs the person who looks."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from promotion.models import Release
from promotion.rules.states import State
from tests import factories
from tests.parts.promotion_story import HOUR, NOW, Story, tell_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell_story()


def open_overview(client: Client, story: Story, query: str = "") -> str:
    client.force_login(story.ines)
    with time_machine.travel(NOW, tick=False):
        response = client.get(f"/{query}")
    assert response.status_code == 200
    return response.content.decode()


def row_of(html: str, slug: str) -> str:
    rows = re.findall(r"<tr role=\"row\">.*?</tr>", html, re.DOTALL)
    return next(row for row in rows if f">{slug}</a>" in row)


def test_without_a_service_it_says_what_will_stand_here(client: Client) -> None:
    client.force_login(factories.make_person())
    html = client.get("/").content.decode()
    assert "No service is known yet." in html


def test_somebody_not_signed_in_is_sent_to_sign_in(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


def test_the_sentence_tells_what_waits_for_the_person(client: Client, story: Story) -> None:
    story.ask()
    html = open_overview(client, story)
    assert (
        "1 service in 2 environments. 1 promotion waits for you, nothing is stuck,"
        " nothing is running." in html
    )
    assert "Your approval" in row_of(html, "shipment-api")
    assert "0 of 2 approvals" in html


def test_a_place_shows_version_age_and_how_far_it_is_ahead(client: Client, story: Story) -> None:
    row = row_of(open_overview(client, story), "shipment-api")
    assert "<b>4.18.0</b>" in row
    assert "<b>4.17.2</b>" in row
    assert "1\u00a0d\u00a02\u00a0h" in row
    assert "2 ahead" in row


def test_the_same_digest_is_one_solid_line(client: Client, story: Story) -> None:
    factories.make_deployment(story.new, story.production, at=NOW - HOUR)
    row = row_of(open_overview(client, story), "shipment-api")
    assert 'class="link same"' in row
    assert "Up to date" in row


def test_an_unknown_line_of_commits_is_not_given_a_number(client: Client, story: Story) -> None:
    Release.objects.filter(pk=story.new.pk).update(commit="f" * 40)
    row = row_of(open_overview(client, story), "shipment-api")
    assert "differs" in row
    assert " ahead<" not in row


def test_what_may_be_promoted_next_links_to_the_form(client: Client, story: Story) -> None:
    row = row_of(open_overview(client, story), "shipment-api")
    assert f"/promotions/new/?release={story.new.pk}&amp;environment=production" in row


def test_a_running_promotion_moves_the_line(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    promotion.step_runs.update(progress=0.5, state="running")
    html = open_overview(client, story)
    assert "1 is running" in html
    row = row_of(html, "shipment-api")
    assert "4.17.2 → 4.18.0" in row
    assert 'class="link moving">50\u00a0%' in row
    assert "Step 1 of 1" in row


def test_another_digest_seen_than_promoted_is_drift(client: Client, story: Story) -> None:
    factories.make_deployment(story.new, story.production, at=NOW - 5 * HOUR)
    factories.make_observation(
        story.service, story.production, factories.digest_of("other"), at=NOW - HOUR
    )
    row = row_of(open_overview(client, story), "shipment-api")
    assert "Drift in Production" in row
    assert "another digest seen" in row


def test_a_platform_of_the_index_that_runs_is_no_drift(client: Client, story: Story) -> None:
    index = story.old.artifacts.get()
    child = factories.make_artifact(
        story.service, "amd64", digest=factories.digest_of("amd64"), index=index
    )
    factories.make_observation(story.service, story.production, child.digest, at=NOW - HOUR)
    assert "Drift" not in row_of(open_overview(client, story), "shipment-api")


def test_an_observation_older_than_the_deployment_is_no_drift(client: Client, story: Story) -> None:
    factories.make_observation(
        story.service, story.production, factories.digest_of("other"), at=NOW - 300 * HOUR
    )
    assert "Drift" not in row_of(open_overview(client, story), "shipment-api")


def test_a_place_long_not_heard_from_is_shown_as_unknown(client: Client, story: Story) -> None:
    digest = story.old.digests[0]
    factories.make_observation(story.service, story.production, digest, at=NOW - 4 * HOUR)
    row = row_of(open_overview(client, story), "shipment-api")
    assert 'data-status="unknown"' in row
    assert "last seen 4\u00a0h ago" in row


def test_a_failure_after_the_last_success_is_shown(client: Client, story: Story) -> None:
    factories.make_deployment(story.new, story.production, at=NOW - HOUR, result="failed")
    row = row_of(open_overview(client, story), "shipment-api")
    assert "4.18.0 failed in Production" in row
    assert "<b>4.17.2</b>" in row


def test_what_was_removed_no_longer_stands_there(client: Client, story: Story) -> None:
    factories.make_deployment(story.old, story.production, at=NOW - HOUR, result="removed")
    assert "Nothing yet" in row_of(open_overview(client, story), "shipment-api")


def test_a_failed_promotion_is_stuck_until_somebody_asks_again(
    client: Client, story: Story
) -> None:
    failed = factories.make_promotion(
        story.new,
        story.production,
        state=State.FAILED,
        at=NOW - 3 * HOUR,
        ended_at=NOW - 2 * HOUR,
        reason="3 of 10 checks were good.",
    )
    assert "3 of 10 checks were good." in open_overview(client, story)
    story.ask()
    html = open_overview(client, story)
    assert f'href="/promotions/{failed.pk}/"' not in html


def test_a_gate_that_only_a_person_can_open_is_stuck(client: Client, story: Story) -> None:
    promotion = story.ask()
    promotion.gate_results.filter(gate="lock").update(verdict="closed", reason="Never again.")
    html = open_overview(client, story)
    assert "1 is stuck" in html
    assert "Never again." in html


def test_the_team_filter_leaves_others_out_and_can_be_cleared(client: Client, story: Story) -> None:
    factories.make_service("rates", team=factories.make_team("pricing"))
    html = open_overview(client, story, "?team=pricing")
    assert ">rates</a>" in html
    assert ">shipment-api</a>" not in html
    assert "No services match" in open_overview(client, story, "?team=nobody")


def test_what_needs_somebody_comes_first_unless_sorted_otherwise(
    client: Client, story: Story
) -> None:
    factories.make_service("alpha")
    story.ask()
    html = open_overview(client, story)
    assert html.index(">shipment-api</a>") < html.index(">alpha</a>")
    html = open_overview(client, story, "?sort=service")
    assert html.index(">alpha</a>") < html.index(">shipment-api</a>")


def test_names_from_data_are_escaped(client: Client, story: Story) -> None:
    story.service.team.name = "<b>Shipping</b>"
    story.service.team.save()
    Release.objects.filter(pk=story.old.pk).update(version="<i>4</i>")
    html = open_overview(client, story)
    assert "&lt;b&gt;Shipping&lt;/b&gt;" in html
    assert "&lt;i&gt;4&lt;/i&gt;" in html
    assert "<i>4</i>" not in html


def count_queries(client: Client) -> int:
    with time_machine.travel(NOW, tick=False), CaptureQueriesContext(connection) as queries:
        assert client.get("/").status_code == 200
    return len(queries)


def test_the_number_of_queries_does_not_grow_with_the_services(
    client: Client, story: Story
) -> None:
    def add(first: int, last: int) -> None:
        for number in range(first, last):
            service = factories.make_service(f"service-{number}")
            factories.make_pipeline(service)
            one = factories.make_release(service, "1.0.0", at=NOW - 30 * HOUR)
            two = factories.make_release(service, "1.1.0", at=NOW - 20 * HOUR)
            factories.make_deployment(two, story.staging, at=NOW - 10 * HOUR)
            factories.make_deployment(one, story.production, at=NOW - 20 * HOUR)
            factories.make_observation(service, story.staging, two.digests[0], at=NOW)
            factories.make_promotion(two, story.production, at=NOW - timedelta(hours=number + 1))

    client.force_login(story.ines)
    story.ask()
    add(0, 2)
    few = count_queries(client)
    add(2, 30)
    assert count_queries(client) == few
    assert few < 25


def test_only_so_many_services_stand_on_a_page(client: Client, story: Story) -> None:
    team = factories.make_team()
    for number in range(205):
        factories.make_service(f"many-{number:03}", team=team)
    html = open_overview(client, story, "?sort=service")
    assert "1 to 200 of 206 services" in html
    assert "201 to 206 of 206 services" in open_overview(client, story, "?sort=service&page=2")


def test_a_place_the_pipeline_leaves_out_is_passed_by_and_nothing_is_promoted_there(
    client: Client, story: Story
) -> None:
    factories.make_environment("qa", rank=story.production.rank, name="QA")
    row = row_of(open_overview(client, story), "shipment-api")
    assert "Not on its way" in row
    assert "Nothing yet" not in row
    assert f"/promotions/new/?release={story.new.pk}&amp;environment=production" in row
    assert "2 ahead" in row
