"""On the page of a promotion: breaking the glass, its review, the stop with its question, cause and action."""

from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client

from promotion.models import BreakGlass, Promotion, User
from promotion.rules.states import State
from tests import factories
from tests.parts.promotion_story import HOUR, NOW, Story, tell_story

pytestmark = pytest.mark.django_db
SMASH = {"reason": "Nothing is shipped.", "incident_url": "https://incidents.example/77"}


@pytest.fixture
def story() -> Story:
    return tell_story()


@pytest.fixture
def sven(story: Story) -> User:
    person = factories.make_person("sven", "member", team=story.service.team)
    person.user_permissions.add(Permission.objects.get(codename="break_glass"))
    return person


def send(client: Client, promotion: Promotion, act: str, person: User, **data: Any) -> HttpResponse:
    client.force_login(person)
    with time_machine.travel(NOW, tick=False):
        return client.post(f"/promotions/{promotion.pk}/{act}/", data)


def page(client: Client, path: str, person: User) -> str:
    client.force_login(person)
    with time_machine.travel(NOW, tick=False):
        answer = client.get(path)
    assert answer.status_code == 200, path
    return " ".join(answer.content.decode().split())


def smash(client: Client, promotion: Promotion, person: User, **changed: str) -> HttpResponse:
    given = {"content_hash": promotion.content_hash, **SMASH, **changed}
    return send(client, promotion, "break-glass", person, **given)


def failed(story: Story) -> Promotion:
    return factories.make_promotion(
        story.new, story.production, state=State.FAILED, at=NOW - 3 * HOUR,
        started_at=NOW - 3 * HOUR, ended_at=NOW - 2 * HOUR, reason="3 of 10 checks were good.",
    )  # fmt: skip


@pytest.mark.parametrize("act", ["break-glass", "reviews/1", "stop", "cause", "action"])
def test_nothing_is_changed_by_a_get_or_a_form_from_elsewhere(story: Story, act: str) -> None:
    promotion = story.ask()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(story.ines)
    assert strict.get(f"/promotions/{promotion.pk}/{act}/").status_code == 405
    assert strict.post(f"/promotions/{promotion.pk}/{act}/").status_code == 403


def test_the_glass_is_offered_to_who_has_the_right(
    client: Client, story: Story, sven: User
) -> None:
    promotion = story.ask()
    path = f"/promotions/{promotion.pk}/"
    assert 'data-open="glass"' in page(client, path, sven)
    assert 'data-open="glass"' not in page(client, path, story.ines)


def test_a_broken_glass_is_marked_wherever_the_promotion_shows(
    client: Client, story: Story, sven: User
) -> None:
    promotion = story.ask()
    assert smash(client, promotion, sven).status_code == 302
    story.look(promotion)
    assert promotion.state == State.RUNNING
    mark = "</svg>Glass broken</span>"
    release = f"/releases/{story.service.slug}/{story.new.version}/"
    for path in (f"/promotions/{promotion.pk}/", "/promotions/", release):
        assert mark in page(client, path, story.ines), path
    assert "glass broken" in page(client, "/", story.ines)
    assert "glass broken" in page(client, f"/search/?q={promotion.pk}", story.ines)
    shown = page(client, f"/promotions/{promotion.pk}/", story.ines)
    assert "Sven broke the glass" in shown
    assert 'href="https://incidents.example/77"' in shown
    assert "with the glass" not in shown
    assert "glass broken" in page(client, f"/promotions/{promotion.pk}/gates/", story.ines)


def test_who_has_not_the_right_and_stale_or_empty_forms_are_refused(
    client: Client, story: Story, sven: User
) -> None:
    promotion = story.ask()
    assert smash(client, promotion, story.ines).status_code == 403
    assert smash(client, promotion, sven, content_hash="sha256:0").status_code == 409
    assert smash(client, promotion, sven, reason="").status_code == 400
    assert smash(client, promotion, sven, incident_url="INC-7").status_code == 400
    assert not BreakGlass.objects.exists()
    smash(client, promotion, sven)
    assert smash(client, promotion, sven).status_code == 409
    assert BreakGlass.objects.count() == 1


def test_somebody_else_reviews_it_from_the_inbox_and_everybody_reads_it(
    client: Client, story: Story, sven: User
) -> None:
    promotion = story.ask()
    smash(client, promotion, sven)
    glass = BreakGlass.objects.get()
    assert "Sven broke the glass" in page(client, "/inbox/?view=after", story.ines)
    assert "Nothing is left to follow up" in page(client, "/inbox/?view=after", sven)
    assert "1 is owed." in page(client, "/reviews/", story.viewer)
    path = f"/promotions/{promotion.pk}/reviews/{glass.pk}/"
    assert path in page(client, f"/promotions/{promotion.pk}/", story.ines)
    assert path not in page(client, f"/promotions/{promotion.pk}/", sven)
    act = f"reviews/{glass.pk}"
    said = {"outcome": "avoidable", "words": "A flag would have done."}
    assert send(client, promotion, act, sven, **said).status_code == 403
    assert send(client, promotion, act, story.ines, outcome="fine", words="x").status_code == 400
    assert send(client, promotion, act, story.ines, **said).status_code == 302
    assert send(client, promotion, act, story.ines, **said).status_code == 409
    shown = page(client, f"/promotions/{promotion.pk}/", story.viewer)
    assert "Justified, and avoidable next time" in shown
    assert "A flag would have done." in page(client, "/reviews/?view=done", story.viewer)
    other = tell_story("rate-engine").ask()
    assert send(client, other, act, story.ines, **said).status_code == 404


def test_reviews_cost_the_same_however_many(
    client: Client, story: Story, sven: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        BreakGlass.objects.create(
            promotion=factories.make_promotion(
                factories.make_release(story.service, f"5.{number}.0"), story.production,
                state=State.FAILED, ended_at=NOW,
            ),
            content_hash="x", reason="x", incident_url="https://x.example", broken_by=sven,
            broken_at=NOW, review_due_at=NOW,
        )  # fmt: skip
    client.force_login(story.ines)
    with time_machine.travel(NOW, tick=False):
        with django_assert_max_num_queries(9):
            client.get("/reviews/")
        with django_assert_max_num_queries(22):
            assert client.get("/inbox/?view=after").content.count(b"worklist") == 2


def test_a_stop_asks_what_follows(client: Client, story: Story) -> None:
    promotion = story.ask()
    story.start(promotion)
    shown = page(client, f"/promotions/{promotion.pk}/", story.ines)
    assert 'value="leave" required' in shown
    assert "Roll back to 4.17.2" in shown
    assert 'value="roll back" required disabled' in page(
        client, f"/promotions/{promotion.pk}/", story.tomasz
    )
    assert send(client, promotion, "stop", story.viewer, then="leave").status_code == 403
    assert send(client, promotion, "stop", story.ines).status_code == 400
    assert send(client, promotion, "stop", story.tomasz, then="roll back").status_code == 403
    promotion.refresh_from_db()
    assert promotion.stop_requested_at is None
    assert send(client, promotion, "stop", story.ines, then="roll back").status_code == 302
    shown = page(client, f"/promotions/{promotion.pk}/", story.ines)
    assert "then the release before is asked for again." in shown


def test_a_failure_asks_for_its_cause_and_an_action(client: Client, story: Story) -> None:
    promotion = failed(story)
    assert "Failures without a cause" in page(client, "/inbox/?view=after", story.tomasz)
    assert "Nothing is left" in page(client, "/inbox/?view=after", story.viewer)
    told = {
        "cause": "data",
        "words": "The migration locked a table.",
        "action": "Try it on a copy first.",
        "owner": "priya",
        "due": NOW.date().isoformat(),
        "url": "",
    }
    assert send(client, promotion, "cause", story.viewer, **told).status_code == 403
    for wrong in ({"cause": ""}, {"owner": "nobody"}, {"due": "soon"}, {"words": ""}):
        assert (
            send(client, promotion, "cause", story.tomasz, **{**told, **wrong}).status_code == 400
        )
    refused = send(client, promotion, "cause", story.tomasz, **{**told, "due": "soon"})
    assert "The migration locked a table." in refused.content.decode()
    assert send(client, promotion, "cause", story.tomasz, **told).status_code == 302
    shown = page(client, f"/promotions/{promotion.pk}/", story.viewer)
    assert "Data or migration" in shown
    assert "Try it on a copy first." in shown
    assert "Your actions" in page(client, "/inbox/?view=after", story.priya)
    assert send(client, promotion, "action", story.viewer, state="done").status_code == 403
    assert send(client, promotion, "action", story.priya, state="gone").status_code == 400
    assert send(client, promotion, "action", story.priya, state="done").status_code == 302
    assert send(client, promotion, "action", story.priya, state="done").status_code == 409
    assert "Nothing is left" in page(client, "/inbox/?view=after", story.priya)


def test_a_promotion_that_ended_well_asks_for_no_cause(client: Client, story: Story) -> None:
    promotion = factories.make_promotion(story.new, story.production, state=State.SUCCEEDED)
    assert 'id="cause"' not in page(client, f"/promotions/{promotion.pk}/", story.ines)


def test_an_automatic_request_names_who_set_it_off(client: Client, story: Story) -> None:
    promotion = story.ask()
    Promotion.objects.filter(pk=promotion.pk).update(requested_by=None, origin="automatic")
    story.new.artifacts.get().builds.update(actor="priya@meridian.example")
    shown = page(client, f"/promotions/{promotion.pk}/", story.ines)
    assert "Asked for by automatic promotion, set off by Priya Raman," in shown
