"""Pinning a release where it runs: nothing else goes there until somebody takes the pin off."""

from typing import Any

import pytest
from django.test import Client

from promotion.actions.pin import pin_release, unpin
from promotion.exceptions import ConflictError, InputError
from promotion.gates.candidates import judge_stage
from promotion.models import AuditEntry, Pin, Promotion, Role
from promotion.rules.states import State
from tests.factories import make_person
from tests.parts.promotion_story import NOW, Story, tell_story

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def scheduled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    services: list[int] = []
    monkeypatch.setattr(
        "promotion.tasks.look_at_service.delay_on_commit", lambda pk: services.append(pk)
    )
    return services


@pytest.fixture
def story() -> Story:
    return tell_story()


def address(story: Story) -> str:
    return f"/releases/{story.service.slug}/{story.old.version}/"


def wish(story: Story, **fields: Any) -> dict[str, Any]:
    return {
        "release": story.old.pk,
        "environment": "production",
        "reason": "Customs <audit>.",
        **fields,
    }


def test_a_release_manager_pins_what_runs_and_takes_the_pin_off(
    client: Client, story: Story, scheduled: list[int]
) -> None:
    client.force_login(story.ines)
    assert "Pin…" in client.get(address(story)).content.decode()
    made = client.post("/pins/", wish(story), follow=True)
    pin = Pin.objects.get()
    assert (pin.release, pin.environment, pin.made_by) == (story.old, story.production, story.ines)
    html = made.content.decode()
    assert "It is pinned in Production" in html
    assert "Customs &lt;audit&gt;." in html
    newer = client.get(f"/releases/{story.service.slug}/{story.new.version}/").content.decode()
    assert "4.17.2 is pinned in Production, so this release is not promoted there" in newer
    assert "4.17.2</a> is pinned" in client.get("/environments/production/").content.decode()
    assert client.post(f"/pins/{pin.pk}/off/").status_code == 302
    pin.refresh_from_db()
    assert pin.ended_by == story.ines
    assert client.post(f"/pins/{pin.pk}/off/").status_code == 409
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions[-2:] == ["release.pin", "release.unpin"]
    assert scheduled == [story.service.pk, story.service.pk]


def test_a_pin_closes_the_way_for_every_other_release_until_it_is_off(story: Story) -> None:
    pin = pin_release(story.old.pk, story.production, person=story.ines, reason="Audit.", at=NOW)
    promotion = story.ask()
    story.approve(promotion, story.ines, story.priya)
    story.look(promotion)
    assert promotion.state == State.WAITING
    order = promotion.gate_results.get(gate="order")
    assert (order.verdict, order.reason) == ("closed", "Ines Halvorsen pinned 4.17.2 there: Audit.")
    unpin(pin.pk, person=story.ines, at=NOW)
    story.look(promotion)
    assert promotion.state == State.RUNNING


def test_a_pin_holds_automatic_promotion(story: Story) -> None:
    form = story.service.pipeline.current.form
    stage = form.stage("production")
    assert judge_stage(story.service, form, stage, NOW).chosen == story.new
    pin_release(story.old.pk, story.production, person=story.ines, reason="Audit.", at=NOW)
    judged = judge_stage(story.service, form, stage, NOW)
    assert (judged.candidate, judged.chosen) == (story.new, None)


def test_only_what_runs_there_can_be_pinned_and_only_once(story: Story) -> None:
    with pytest.raises(InputError, match=r"4\.17\.2 runs there"):
        pin_release(story.new.pk, story.production, person=story.ines, reason="No.", at=NOW)
    with pytest.raises(InputError, match="needs a reason"):
        pin_release(story.old.pk, story.production, person=story.ines, reason=" \x00", at=NOW)
    pin_release(story.old.pk, story.production, person=story.ines, reason="Audit.", at=NOW)
    with pytest.raises(ConflictError, match="Ines Halvorsen has pinned"):
        pin_release(story.old.pk, story.production, person=story.priya, reason="Me.", at=NOW)
    assert Pin.objects.count() == 1


@pytest.mark.parametrize(
    "role", [Role.VIEWER, Role.MEMBER, Role.PLATFORM_ENGINEER, Role.AUDITOR, Role.ADMINISTRATOR]
)
def test_who_manages_no_releases_neither_pins_nor_unpins(
    client: Client, story: Story, role: str
) -> None:
    client.force_login(make_person("mara", role))
    assert "Pin…" not in client.get(address(story)).content.decode()
    assert client.post("/pins/", wish(story)).status_code == 403
    pin = pin_release(story.old.pk, story.production, person=story.ines, reason="A.", at=NOW)
    assert client.post(f"/pins/{pin.pk}/off/").status_code == 403
    assert Pin.objects.in_force().count() == 1


def test_nonsense_pins_nothing_and_a_get_changes_nothing(client: Client, story: Story) -> None:
    client.force_login(story.ines)
    for fields in (
        {"release": "x"},
        {"release": "9" * 30},
        {"environment": "\x00"},
        {"release": 0},
    ):
        assert client.post("/pins/", wish(story, **fields)).status_code == 404
    assert client.post("/pins/", wish(story, reason="")).status_code == 400
    assert client.get("/pins/").status_code == 405
    assert client.post("/pins/99/off/").status_code == 404
    assert not Pin.objects.exists()
    assert not Promotion.objects.exists()
