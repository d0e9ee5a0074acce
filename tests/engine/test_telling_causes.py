"""Learning from what ended badly: its cause, the action, who may tell them, and that it is recorded."""

from dataclasses import replace
from datetime import timedelta

import pytest

from promotion.actions.tell_cause import (
    Told,
    actions_of,
    asks_for_cause,
    promotions_to_explain,
    set_action_done,
    tell_cause,
)
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import AuditEntry, Promotion, User
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_person,
    make_promotion,
    make_release,
    make_service,
    make_team,
)
from tests.parts.promotion_story import Story, tell_story

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


@pytest.fixture
def story() -> Story:
    return tell_story()


def ended(story: Story, state: State = State.FAILED, **fields) -> Promotion:
    return make_promotion(
        story.new, story.production, state=state, ended_at=NOW - timedelta(hours=1), **fields
    )


def told(owner: User, **changed) -> Told:
    first = Told("data", "The migration locked a table.", "Test it on a copy.", owner, TODAY)
    return replace(first, **changed)


def test_cause_and_action_are_kept_and_on_record(story: Story) -> None:
    promotion = ended(story)
    url = "https://tickets.example/SHIP-12"
    tell_cause(promotion.pk, told(story.ines, url=url), person=story.tomasz, at=NOW)
    promotion.refresh_from_db()
    assert (promotion.cause, promotion.action_owner, promotion.action_due) == (
        "data", story.ines, TODAY,
    )  # fmt: skip
    assert (promotion.action_url, promotion.cause_told_by) == (url, story.tomasz)
    entry = AuditEntry.objects.get(action="promotion.cause")
    assert entry.reason == "The migration locked a table."
    assert entry.details["owner"] == "ines"


def test_the_same_twice_is_one_entry_and_another_telling_stands(story: Story) -> None:
    promotion = ended(story)
    for words in ("One.", "One.", "Another."):
        tell_cause(promotion.pk, told(story.ines, words=words), person=story.tomasz, at=NOW)
    promotion.refresh_from_db()
    assert promotion.cause_words == "Another."
    assert AuditEntry.objects.filter(action="promotion.cause").count() == 2


@pytest.mark.parametrize("state", [State.FAILED, State.ERRORED])
def test_what_failed_or_errored_asks(story: Story, state: State) -> None:
    assert asks_for_cause(ended(story, state))


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.CANCELLED])
def test_what_was_rolled_back_asks_once_the_rollback_succeeded(story: Story, state: State) -> None:
    promotion = ended(story, state)
    assert not asks_for_cause(promotion)
    back = make_promotion(story.old, story.production, kind="rollback", undoes=promotion)
    assert not asks_for_cause(promotion)
    assert promotion not in promotions_to_explain(story.tomasz, NOW)
    Promotion.objects.filter(pk=back.pk).update(state=State.SUCCEEDED.value, ended_at=NOW)
    assert asks_for_cause(promotion)
    assert promotion in promotions_to_explain(story.tomasz, NOW)


@pytest.mark.parametrize("state", [State.WAITING, State.SUCCEEDED, State.REJECTED])
def test_what_did_not_end_badly_takes_no_cause(story: Story, state: State) -> None:
    promotion = ended(story, state)
    with pytest.raises(ConflictError, match="no cause is asked"):
        tell_cause(promotion.pk, told(story.ines), person=story.tomasz, at=NOW)


def test_only_the_team_may_tell_it(story: Story) -> None:
    promotion = ended(story)
    elsewhere = make_person("nora", "release manager", team=make_team("billing"))
    for person in (story.viewer, elsewhere):
        with pytest.raises(NotAllowedError):
            tell_cause(promotion.pk, told(story.ines), person=person, at=NOW)
        assert promotion not in promotions_to_explain(person, NOW)
    promotion.refresh_from_db()
    assert promotion.cause == ""


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"cause": "bad luck"}, "cause"),
        ({"cause": ""}, "cause"),
        ({"words": " "}, "words"),
        ({"words": "x" * 5001}, "words"),
        ({"action": ""}, "action"),
        ({"due": TODAY - timedelta(days=3)}, "due"),
        ({"due": TODAY + timedelta(days=400)}, "due"),
        ({"url": "javascript:alert(1)"}, "url"),
    ],
    ids=str,
)
def test_what_is_missing_or_cannot_be_is_named(story: Story, changed: dict, key: str) -> None:
    promotion = ended(story)
    with pytest.raises(InputError) as caught:
        tell_cause(promotion.pk, told(story.ines, **changed), person=story.tomasz, at=NOW)
    assert caught.value.key == key
    promotion.refresh_from_db()
    assert promotion.cause == ""


def test_the_owner_must_be_here(story: Story) -> None:
    gone = make_person("gone", is_active=False)
    with pytest.raises(InputError, match="not here any more"):
        tell_cause(ended(story).pk, told(gone), person=story.tomasz, at=NOW)


def test_the_owner_settles_the_action_once_and_may_open_it_again(story: Story) -> None:
    promotion = ended(story)
    with pytest.raises(ConflictError, match="no action yet"):
        set_action_done(promotion.pk, is_done=True, person=story.tomasz, at=NOW)
    owner = make_person("olga")
    tell_cause(promotion.pk, told(owner), person=story.tomasz, at=NOW)
    assert list(actions_of(owner)) == [promotion]
    with pytest.raises(NotAllowedError):
        set_action_done(promotion.pk, is_done=True, person=story.viewer, at=NOW)
    set_action_done(promotion.pk, is_done=True, person=owner, at=NOW)
    with pytest.raises(ConflictError, match="done already"):
        set_action_done(promotion.pk, is_done=True, person=owner, at=NOW)
    assert not actions_of(owner).exists()
    set_action_done(promotion.pk, is_done=False, person=story.ines, at=NOW)
    assert list(actions_of(owner)) == [promotion]
    done = AuditEntry.objects.filter(action__startswith="promotion.action_")
    assert [one.action for one in done.order_by("pk")] == [
        "promotion.action_done",
        "promotion.action_reopened",
    ]


def test_what_nobody_explained_is_listed_for_the_team_until_somebody_does(story: Story) -> None:
    promotion = ended(story)
    other = make_service("ledger", team=make_team("billing"))
    make_promotion(
        make_release(other), story.production, state=State.FAILED, ended_at=NOW - timedelta(hours=1)
    )
    member = make_person("mia", "member", team=make_team())
    assert list(promotions_to_explain(member, NOW)) == [promotion]
    tell_cause(promotion.pk, told(story.ines), person=story.tomasz, at=NOW)
    assert not promotions_to_explain(member, NOW).exists()
