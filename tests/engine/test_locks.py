"""Locks of an environment: who makes and releases them, what they hold, and that they end."""

from datetime import timedelta

import pytest

from promotion.actions.lock import make_lock, release_lock
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import AuditEntry, Lock, Promotion, Service
from promotion.rules.states import State
from tests.factories import NOW, make_release_manager, make_service, make_team
from tests.parts.promotion_story import Story, tell_story

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def story() -> Story:
    return tell_story()


def lock(story: Story, service: Service | None = None, **changed) -> Lock:
    given = {"person": story.ines, "reason": "Moving the database", "at": NOW, **changed}
    return make_lock(story.production, service, **given)


def gate(promotion: Promotion):
    return promotion.gate_results.get(gate="lock")


def test_it_holds_until_it_is_released_and_says_who_and_why(story: Story) -> None:
    promotion = story.ask()
    made = lock(story)
    story.approve(promotion, story.ines, story.priya, at=NOW)
    assert promotion.state == State.WAITING
    held = gate(promotion)
    assert (held.verdict, held.earliest) == ("waiting", None)
    assert "Ines Halvorsen locked Production: Moving the database" in held.reason
    release_lock(made.pk, person=story.priya, at=NOW + HOUR)
    promotion.refresh_from_db()
    assert promotion.next_look_at == NOW + HOUR
    story.look(promotion, NOW + HOUR)
    assert promotion.state == State.RUNNING


def test_it_ends_by_itself_and_the_gate_knows_when(story: Story) -> None:
    promotion = story.ask()
    lock(story, ends_at=NOW + HOUR / 4)
    lock(story, story.service, ends_at=NOW + HOUR / 2)
    story.approve(promotion, story.ines, story.priya, at=NOW)
    assert gate(promotion).earliest == NOW + HOUR / 2
    assert promotion.next_look_at == NOW + HOUR / 2
    story.look(promotion, NOW + HOUR / 4)
    assert promotion.state == State.WAITING
    story.look(promotion, NOW + HOUR / 2)
    assert promotion.state == State.RUNNING


def test_one_for_a_service_holds_no_other(story: Story) -> None:
    lock(story, make_service("rate-engine"))
    promotion = story.ask(at=NOW)
    assert gate(promotion).verdict == "open"


def test_a_services_team_locks_its_own_and_all_services_take_all_teams(story: Story) -> None:
    nora = make_release_manager("nora", team=make_team("billing"))
    own = make_service("ledger", team=make_team("billing"))
    for person, service in ((nora, None), (nora, story.service), (story.tomasz, story.service)):
        with pytest.raises(NotAllowedError):
            lock(story, service, person=person)
    assert lock(story, own, person=nora)
    foreign = lock(story, story.service)
    with pytest.raises(NotAllowedError):
        release_lock(foreign.pk, person=nora, at=NOW)


def test_the_same_twice_is_refused_both_ways(story: Story) -> None:
    made = lock(story)
    with pytest.raises(ConflictError, match="has locked Production already"):
        lock(story)
    release_lock(made.pk, person=story.ines, at=NOW)
    with pytest.raises(ConflictError, match="over already. Ines Halvorsen released it"):
        release_lock(made.pk, person=story.ines, at=NOW)
    ended = lock(story, ends_at=NOW + HOUR)
    with pytest.raises(ConflictError, match="over already"):
        release_lock(ended.pk, person=story.ines, at=NOW + HOUR)


@pytest.mark.parametrize(
    ("changed", "key"),
    [({"reason": " "}, "reason"), ({"reason": "x" * 501}, "reason"), ({"ends_at": NOW}, "ends_at")],
    ids=str,
)
def test_it_needs_a_reason_and_an_end_to_come(story: Story, changed: dict, key: str) -> None:
    with pytest.raises(InputError) as caught:
        lock(story, **changed)
    assert caught.value.key == key
    assert not Lock.objects.exists()


def test_both_are_on_the_record(story: Story) -> None:
    made = lock(story, story.service, ends_at=NOW + HOUR)
    release_lock(made.pk, person=story.priya, at=NOW)
    rows = AuditEntry.objects.filter(subject_type="lock").order_by("pk")
    assert [(one.action, one.actor) for one in rows] == [
        ("lock.make", story.ines),
        ("lock.release", story.priya),
    ]
    assert rows[0].details["service"] == "shipment-api"
