"""The page of one promotion: waiting, running, ended, and its live parts."""

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from promotion.models import Commit, GateException, Promotion, User
from promotion.rules.states import State
from tests import factories
from tests.parts.promotion_story import HOUR, NOW, PIPELINE, Story, tell_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell_story()


def open_page(client: Client, promotion: Promotion, person: User, part: str = "") -> str:
    client.force_login(person)
    with time_machine.travel(NOW, tick=False):
        response = client.get(f"/promotions/{promotion.pk}/{part}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_a_promotion_that_is_not_there_is_not_found(client: Client, story: Story) -> None:
    client.force_login(story.ines)
    assert client.get("/promotions/999/").status_code == 404
    assert client.get("/promotions/999999999999999999/").status_code == 404


def test_the_number_may_be_pasted_as_it_is_spoken(client: Client, story: Story) -> None:
    promotion = story.ask()
    client.force_login(story.ines)
    assert client.get(f"/promotions/{promotion.number}/").status_code == 200


def test_it_says_what_it_replaces_and_who_asked(client: Client, story: Story) -> None:
    html = open_page(client, story.ask(), story.ines)
    assert "<h1>shipment-api 4.18.0 to production</h1>" in html
    assert "Replaces 4.17.2. 2 commits by 2 authors, 1 artifact." in html
    assert "Asked for by Tomasz Wrona" in html
    assert "Waiting for approval" in html


def test_it_shows_both_digests_and_the_commits_between(client: Client, story: Story) -> None:
    html = open_page(client, story.ask(), story.ines)
    assert f'data-copy="{story.old.digests[0]}"' in html
    assert f'data-copy="{story.new.digests[0]}"' in html
    assert "Emit pallet events" in html
    assert "Raise a timeout" in html
    assert "Rate table" not in html
    assert "Nobody could be matched to luca@meridian.example." in html


def test_an_unknown_range_of_commits_is_said_to_be_unknown(client: Client, story: Story) -> None:
    Commit.objects.filter(message="Emit pallet events").delete()
    html = open_page(client, story.ask(), story.ines)
    assert (
        "The commits between 4.17.2 and 4.18.0 are not known; below is the release's own." in html
    )


def test_many_commits_are_folded(client: Client, story: Story) -> None:
    parent = Commit.objects.get(message="Raise a timeout")
    for number in range(12):
        parent = factories.make_commit(story.service, f"Change {number}", parent=parent)
    story.new.commit = parent.sha
    story.new.save()
    assert "Show 6 more commits" in open_page(client, story.ask(), story.ines)


def test_it_says_what_would_unblock_it(client: Client, story: Story) -> None:
    html = open_page(client, story.ask(), story.ines)
    assert "When it can go is not known." in html
    assert (
        "Waits for 2 from release managers: Daniel Okafor, Ines Halvorsen or Priya Raman." in html
    )


def test_it_says_when_it_can_go_where_only_time_is_missing(client: Client, story: Story) -> None:
    promotion = story.ask()
    promotion.gate_results.exclude(gate="lock").delete()
    promotion.gate_results.update(verdict="waiting", reason="It soaks.", earliest=NOW + 4 * HOUR)
    html = open_page(client, promotion, story.ines)
    assert "It can go" in html
    assert "Mon 23 Nov 2026, 18:20 UTC" in html


def test_gates_are_sorted_by_severity(client: Client, story: Story) -> None:
    promotion = story.ask()
    promotion.gate_results.filter(gate="window").update(verdict="closed", reason="Frozen for ever.")
    html = open_page(client, promotion, story.ines, "gates/")
    titles = ["Windows and freezes", "Approval", "Order of stages"]
    assert [html.index(f"<b>{title}</b>") for title in titles] == sorted(
        html.index(f"<b>{title}</b>") for title in titles
    )
    assert "1 closed, 1 waiting, 2 passed" in html


def test_a_granted_exception_is_shown_with_owner_and_end(client: Client, story: Story) -> None:
    promotion = story.ask()
    GateException.objects.create(
        release=story.new,
        environment=story.production,
        gate="window",
        reason="Fix for incident 7",
        owner=story.priya,
        granted_by=story.priya,
        granted_at=NOW - HOUR,
        ends_at=NOW + HOUR,
    )
    html = open_page(client, promotion, story.ines)
    assert "1 with exception" in html
    assert "owned by Priya Raman until" in html
    assert "“Fix for incident 7”" in html


def test_seats_show_who_approved_and_who_still_can(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.approve(promotion, story.priya)
    html = open_page(client, promotion, story.ines)
    assert "Priya Raman approved" in html
    assert "1 more, from release managers" in html
    assert "Daniel Okafor or Ines Halvorsen can approve" in html
    assert "Your approval is the last one: Pause starts at once." in html
    assert "Approve and start" in html


def test_the_hint_says_what_is_still_missing_after_an_approval(
    client: Client, story: Story
) -> None:
    html = open_page(client, story.ask(), story.ines)
    assert "After your approval it still waits for 1 more approval, then Pause starts" in html


def test_it_says_how_long_it_takes_as_a_rule(client: Client, story: Story) -> None:
    for number in range(5):
        ended = NOW - (number + 40) * HOUR
        factories.make_promotion(
            story.old,
            story.production,
            state=State.SUCCEEDED,
            at=ended - HOUR,
            started_at=ended - HOUR / 10,
            ended_at=ended,
        )
    promotion = story.ask()
    story.approve(promotion, story.priya)
    html = open_page(client, promotion, story.ines)
    assert "and takes about 6 min (median of 5)" in html


def test_who_wrote_commits_is_told_why_the_button_does_nothing(
    client: Client, story: Story
) -> None:
    Commit.objects.filter(message="Raise a timeout").update(author_address="ines@meridian.example")
    html = open_page(client, story.ask(), story.ines)
    assert "You wrote 1 of the 2 commits. Daniel Okafor or Priya Raman can approve." in html
    assert 'aria-disabled="true" aria-describedby="why-not"' in html
    assert 'data-open="confirm-approve"' not in html


def test_who_is_in_no_rule_is_told_who_is(client: Client, story: Story) -> None:
    html = open_page(client, story.ask(), story.viewer)
    assert "No approval rule of this promotion lets you in." in html
    assert "Daniel Okafor, Ines Halvorsen or Priya Raman can approve." in html


def test_an_own_approval_may_be_withdrawn(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.approve(promotion, story.ines)
    html = open_page(client, promotion, story.ines)
    assert "Withdraw approval" in html
    assert 'id="decide"' not in html


def test_an_approval_of_other_content_is_shown_as_stale(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.approve(promotion, story.priya)
    factories.make_pipeline(story.service, PIPELINE.replace("10m", "20m"), at=NOW - HOUR / 2)
    story.look(promotion)
    html = open_page(client, promotion, story.ines)
    assert "Priya Raman's approval no longer counts." in html
    assert "what the steps do, the version of the pipeline" in html
    assert "0 of 2" in html


def test_too_few_people_left_is_said_before_anyone_waits(client: Client, story: Story) -> None:
    for person in (story.priya, story.daniel):
        person.memberships.all().delete()
    html = open_page(client, story.ask(), story.ines)
    assert "Too few people are left who may approve." in html
    assert "2 needed from release managers, 1 person left who may." in html


def test_what_was_said_when_asking_is_shown_escaped(client: Client, story: Story) -> None:
    promotion = story.ask(reason="<script>alert(1)</script> see https://example.com/x")
    html = open_page(client, promotion, story.ines)
    assert "&lt;script&gt;" in html
    assert '<a href="https://example.com/x" rel="nofollow">' in html


def test_planned_steps_are_told_before_the_start(client: Client, story: Story) -> None:
    html = open_page(client, story.ask(), story.ines, "steps/")
    assert "not started" in html
    assert "<b>Pause</b>" in html


def test_production_asks_once_more_and_staging_does_not(client: Client, story: Story) -> None:
    html = open_page(client, story.ask(), story.ines)
    assert 'data-open="confirm-approve" data-shortcut="approve"' in html
    assert 'id="confirm-approve"' in html


def test_a_running_promotion_shows_measured_progress(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    promotion.step_runs.update(
        state="waiting", progress=0.625, message="5 of 8 run it", started_at=NOW - HOUR
    )
    html = open_page(client, promotion, story.ines)
    assert "Running, step 1 of 1" in html
    assert "5 of 8 run it" in html
    assert '<progress value="62" max="100"' in html
    assert "Stop…" in html
    assert 'hx-trigger="every 5s"' in html


def test_earlier_attempts_and_output_of_a_step_are_kept(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    promotion.step_runs.update(state="errored", message="The far side was away.")
    factories.make_step_run(
        promotion,
        "pause",
        position=0,
        attempt=2,
        state="succeeded",
        output={"commit": "5d0e91b", "is_waiting": True},
    )
    html = open_page(client, promotion, story.ines, "steps/")
    assert "Output and 1 earlier attempt" in html
    assert "The far side was away." in html
    assert "5d0e91b" in html
    assert "is waiting" not in html


def test_an_unknown_step_asks_what_became_of_it(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    promotion.step_runs.update(state="unknown", message="The worker ended.")
    html = open_page(client, promotion, story.ines)
    assert "What became of “Pause”?" in html
    assert "Running, needs a decision" in html
    html = open_page(client, promotion, story.tomasz)
    assert "Only a release manager of Shipping may say." in html


def test_waves_are_named_with_their_targets(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    promotion.step_runs.update(targets=["eu-1"], state="succeeded")
    factories.make_step_run(promotion, "pause", {"for": "1m"}, wave=1, targets=["us-1"])
    html = open_page(client, promotion, story.ines, "steps/")
    assert "Wave 1 of 2: eu-1" in html
    assert "Wave 2 of 2: us-1" in html


def test_an_ended_one_offers_what_can_follow(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    promotion.move_to(State.FAILED, reason="The change was no good.", at=NOW - HOUR / 2)
    factories.make_deployment(story.new, story.production, at=NOW - HOUR / 2)
    html = open_page(client, promotion, story.ines)
    assert "The change was no good." in html
    assert "Ask again" in html
    assert "Roll back to 4.17.2…" in html
    assert "hx-get" not in html
    html = open_page(client, promotion, story.tomasz)
    assert "Rolling back takes a release manager of Shipping." in html


def test_a_stopped_one_asks_whether_to_leave_it_or_roll_back(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    promotion.move_to(State.CANCELLED, reason="Stopped.", at=NOW - HOUR / 2)
    factories.make_deployment(story.new, story.production, at=NOW - HOUR / 2)
    html = open_page(client, promotion, story.ines)
    assert "Leave it as it is, or roll back with the button above." in html


def test_a_part_is_one_live_element_and_no_form_with_text(client: Client, story: Story) -> None:
    promotion = story.ask()
    for part in ("steps", "gates", "history"):
        html = open_page(client, promotion, story.ines, f"{part}/?seen=waiting")
        assert html.startswith("<section")
        assert html.endswith("</section>")
        assert html.count("data-live") == 1
        assert f'id="{part}"' in html
        assert 'hx-trigger="every 30s"' in html
        assert "<textarea" not in html


def test_a_part_says_when_the_rest_of_the_page_is_old(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    html = open_page(client, promotion, story.ines, "steps/?seen=waiting")
    assert "It is running now." in html
    assert "It is running now." not in open_page(client, promotion, story.ines, "steps/?seen=x")


def test_the_history_tells_moves_decisions_and_acts(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.approve(promotion, story.priya)
    html = open_page(client, promotion, story.ines, "history/")
    assert html.index("<b>Priya Raman</b> approved: “Looks right.”") < html.index(
        "Tomasz Wrona asked for it."
    )


def test_the_number_of_queries_does_not_grow_with_steps_and_history(
    client: Client, story: Story
) -> None:
    def count() -> int:
        with time_machine.travel(NOW, tick=False), CaptureQueriesContext(connection) as queries:
            client.get(f"/promotions/{promotion.pk}/")
        return len(queries)

    promotion = story.ask()
    story.start(promotion)
    client.force_login(story.ines)
    few = count()
    for position in range(1, 9):
        factories.make_step_run(promotion, "pause", {"for": "1m"}, position=position)
    assert count() == few
    assert few < 60


def test_the_history_links_to_its_own_entries_of_the_audit_log(
    client: Client, story: Story
) -> None:
    promotion = story.ask()
    html = open_page(client, promotion, story.ines, "history/")
    address = html.split('href="', 1)[1].split('"', 1)[0]
    assert address.startswith("/audit/?subject=P-")
    assert str(promotion) in client.get(address).content.decode()
