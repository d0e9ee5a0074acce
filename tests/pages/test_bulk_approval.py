"""Approving several at once in the inbox: shown first, each its own decision, refused row by row."""

from typing import Any

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client

from promotion.models import Approval, AuditEntry, Promotion, User
from tests import factories
from tests.parts.promotion_story import HOUR, NOW, PIPELINE, Story, tell_story

pytestmark = pytest.mark.django_db


def calm_story(slug: str = "shipment-api") -> Story:
    """Of low, known risk: the last deployments there went well."""
    story = tell_story(slug)
    for number in range(6):
        factories.make_deployment(story.old, story.production, at=NOW - (280 + number) * HOUR)
    return story


def send(client: Client, person: User, *promotions: Promotion, **data: Any) -> HttpResponse:
    client.force_login(person)
    hashes = {f"hash-{one.pk}": one.content_hash for one in promotions}
    body = {"promotion": [one.pk for one in promotions], **hashes, **data}
    with time_machine.travel(NOW, tick=False):
        return client.post("/inbox/approve/", body)


def text_of(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


def said(response: HttpResponse) -> list[str]:
    return [str(one) for one in get_messages(response.wsgi_request)]


def test_what_was_chosen_is_shown_before_anything_is_recorded(client: Client) -> None:
    story = calm_story()
    promotion = story.ask()
    html = text_of(send(client, story.ines, promotion))
    assert "Approve 1 promotion?" in html
    assert "shipment-api 4.18.0 → production" in html
    assert promotion.content_hash in html
    assert not Approval.objects.exists()


def test_each_approval_is_a_decision_of_its_own_on_its_own_content(client: Client) -> None:
    first, second = calm_story(), calm_story("rate-engine")
    promotions = first.ask(), second.ask()
    answer = send(client, first.ines, *promotions, confirmed="yes", comment="Both small.")
    assert answer.status_code == 302
    rows = Approval.objects.order_by("promotion")
    assert [(row.promotion, row.content_hash) for row in rows] == [
        (one, one.content_hash) for one in promotions
    ]
    assert {row.comment for row in rows} == {"Both small."}
    assert AuditEntry.objects.filter(action="promotion.approve").count() == 2
    assert said(answer)[0].startswith("2 approvals recorded: P-")


def test_one_refusal_stops_no_other_and_is_told_by_row(client: Client) -> None:
    good, stale, own = calm_story(), calm_story("rate-engine"), calm_story("ledger")
    promotions = good.ask(), stale.ask(), own.ask()
    Promotion.objects.filter(pk=promotions[2].pk).update(requested_by=good.ines)
    answer = send(
        client,
        good.ines,
        *promotions,
        confirmed="yes",
        **{f"hash-{promotions[1].pk}": "sha256:0"},
    )
    assert Approval.objects.get().promotion == promotions[0]
    told = " ".join(said(answer))
    assert f"{promotions[1].number} was not approved. What" in told
    assert f"{promotions[2].number} was not approved." in told


def test_high_and_unknown_risk_hotfixes_and_broken_glass_are_opened_one_by_one(
    client: Client,
) -> None:
    unknown, risky, hotfix, broken = (
        tell_story("unknown"), calm_story("risky"), calm_story("hotfix"), calm_story("broken"),
    )  # fmt: skip
    for number in range(14):
        factories.make_deployment(
            risky.old, risky.production, at=NOW - (200 + number) * HOUR, result="failed"
        )
    promotions = [one.ask() for one in (unknown, risky, hotfix, broken)]
    Promotion.objects.filter(pk=promotions[2].pk).update(kind="hotfix")
    Promotion.objects.filter(pk=promotions[3].pk).update(glass_broken_at=NOW)
    html = text_of(send(client, unknown.ines, *promotions))
    assert "None of these can be approved here" in html
    for words in ("risk is not known", "risk is high", "A hotfix", "broke the glass"):
        assert words in html
    send(client, unknown.ines, *promotions, confirmed="yes")
    assert not Approval.objects.exists()


def test_who_may_not_approve_is_refused_in_bulk_as_well(client: Client) -> None:
    story = calm_story()
    promotion = story.ask()
    answer = send(client, story.viewer, promotion, confirmed="yes")
    assert "was not approved" in said(answer)[0]
    assert not Approval.objects.exists()


def test_the_same_press_twice_records_no_second_effect(client: Client) -> None:
    story = calm_story()
    promotion = story.ask()
    for _ in range(2):
        send(client, story.ines, promotion, promotion, confirmed="yes")
    assert Approval.objects.filter(person=story.ines).count() == 2
    story.look(promotion)
    assert promotion.state == "waiting"


@pytest.mark.parametrize("chosen", [[], ["x"], ["-1"], ["9" * 30], ["999"], ["\x00"]])
def test_what_is_not_there_changes_nothing(client: Client, chosen: list[str]) -> None:
    story = tell_story()
    client.force_login(story.ines)
    for confirmed in ("", "yes"):
        body = {"promotion": chosen, "confirmed": confirmed}
        assert client.post("/inbox/approve/", body).status_code in (200, 302)
    assert not Approval.objects.exists()


def test_no_more_than_a_person_can_look_at(client: Client) -> None:
    story = tell_story()
    client.force_login(story.ines)
    answer = client.post("/inbox/approve/", {"promotion": range(1, 25), "confirmed": "yes"})
    assert "At most 20" in said(answer)[0]


def test_it_is_never_done_by_a_get_nor_from_elsewhere() -> None:
    story = tell_story()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(story.ines)
    assert strict.get("/inbox/approve/").status_code == 405
    assert strict.post("/inbox/approve/", {"promotion": 1}).status_code == 403


def test_what_most_others_wait_for_comes_first(client: Client) -> None:
    early, late = tell_story("early"), tell_story("late", PIPELINE + "    queue: fifo\n")
    early.ask(at=NOW - 5 * HOUR)
    blocking = late.ask(at=NOW - 4 * HOUR)
    newer = factories.make_release(late.service, "4.19.0", at=NOW - 3 * HOUR)
    factories.make_promotion(newer, late.production, at=NOW - 2 * HOUR)
    client.force_login(early.ines)
    with time_machine.travel(NOW, tick=False):
        html = text_of(client.get("/inbox/"))
    assert html.index("late 4.18.0") < html.index("early 4.18.0")
    assert "1 other waits for it" in html
    assert f'name="promotion" value="{blocking.pk}"' in html
