"""Stopping what runs: before the next effect, and then it is left as it is or rolled back."""

from datetime import timedelta

import pytest

from promotion.actions.advance import advance
from promotion.actions.cancel import stop_promotion
from promotion.actions.execute import claim, execute
from promotion.actions.outcome import record_outcome
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import AuditEntry, Membership, Promotion, Role
from promotion.rules.states import State
from promotion.steps.base import Outcome, StepResult
from tests.factories import NOW, make_deployment
from tests.parts.promotion_story import PIPELINE, Story, tell_story

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def story() -> Story:
    return tell_story()


def run(story: Story) -> Promotion:
    promotion = story.ask()
    story.start(promotion)
    assert promotion.state == State.RUNNING
    return promotion


def end(promotion: Promotion) -> Promotion:
    step = advance(promotion.pk, at=LATER).step_run
    assert step is not None
    execute(step, now=lambda: LATER)
    promotion.refresh_from_db()
    return promotion


def test_left_as_it_is_nothing_more_happens(story: Story) -> None:
    promotion = run(story)
    stop_promotion(promotion.pk, then="leave", person=story.ines, reason="Errors rise", at=NOW)
    assert end(promotion).state == State.CANCELLED
    assert not promotion.undone_by.exists()
    entry = AuditEntry.objects.get(action="promotion.stop")
    assert (entry.reason, entry.details) == ("Errors rise", {"then": "leave"})


@pytest.mark.parametrize(
    ("then", "undone"), [("leave", 0), ("roll back", 1), (None, 1)], ids=["leave", "back", "no one"]
)
def test_what_the_person_chose_goes_before_what_the_stage_does_on_failure(
    then: str | None, undone: int
) -> None:
    story = tell_story(text=PIPELINE + "    on_failure: rollback\n")
    promotion = run(story)
    held = claim(promotion.step_runs.get().pk, at=NOW)
    assert held is not None
    if then:
        stop_promotion(promotion.pk, then=then, person=story.ines, reason="", at=NOW)
    record_outcome(held, StepResult(Outcome.FAILED, "The far side said no."), at=LATER)
    promotion.refresh_from_db()
    assert promotion.state == State.FAILED
    assert promotion.undone_by.count() == undone
    left = AuditEntry.objects.filter(action="promotion.not_rolled_back")
    assert list(left.values_list("reason", "actor")) == (
        [
            (
                f"Ines Halvorsen stopped {promotion.number} and chose to leave it as it is.",
                story.ines.pk,
            )
        ]
        if then == "leave"
        else []
    )


def test_rolled_back_the_last_good_release_is_asked_for_in_the_persons_name(story: Story) -> None:
    promotion = run(story)
    stop_promotion(promotion.pk, then="roll back", person=story.ines, reason="", at=NOW)
    assert not promotion.undone_by.exists()
    assert end(promotion).state == State.CANCELLED
    back = promotion.undone_by.get()
    assert (back.kind, back.release, back.requested_by) == ("rollback", story.old, story.ines)
    assert back.fields["reason"] == f"Ines Halvorsen stopped {promotion.number} to go back."


def test_what_succeeds_before_the_stop_takes_effect_is_rolled_back_all_the_same(
    story: Story,
) -> None:
    from promotion.actions.finish import finish_promotion

    promotion = run(story)
    stop_promotion(promotion.pk, then="roll back", person=story.ines, reason="", at=NOW)
    make_deployment(story.new, story.production, at=NOW)
    locked = Promotion.objects.locked(promotion.pk)
    finish_promotion(locked, State.SUCCEEDED, reason="Every step succeeded.", at=LATER)
    assert promotion.undone_by.get().release == story.old


def test_the_later_choice_stands_and_the_same_twice_changes_nothing(story: Story) -> None:
    promotion = run(story)
    for then in ("leave", "leave", "roll back"):
        stop_promotion(promotion.pk, then=then, person=story.ines, reason="", at=NOW)
    assert AuditEntry.objects.filter(action="promotion.stop").count() == 2
    end(promotion)
    assert promotion.undone_by.count() == 1


def test_who_asked_may_stop_it_and_only_a_release_manager_may_have_it_rolled_back(
    story: Story,
) -> None:
    promotion = run(story)
    for then in ("leave", "roll back"):
        with pytest.raises(NotAllowedError):
            stop_promotion(promotion.pk, then=then, person=story.viewer, reason="", at=NOW)
    with pytest.raises(NotAllowedError, match="may not roll back"):
        stop_promotion(promotion.pk, then="roll back", person=story.tomasz, reason="", at=NOW)
    promotion.refresh_from_db()
    assert promotion.stop_requested_at is None
    stop_promotion(promotion.pk, then="leave", person=story.tomasz, reason="", at=NOW)


def test_who_is_no_release_manager_any_more_is_not_obeyed_and_the_record_says_so(
    story: Story,
) -> None:
    promotion = run(story)
    stop_promotion(promotion.pk, then="roll back", person=story.ines, reason="", at=NOW)
    Membership.objects.filter(user=story.ines).update(role=Role.VIEWER)
    assert end(promotion).state == State.CANCELLED
    assert not promotion.undone_by.exists()
    assert AuditEntry.objects.filter(action="promotion.not_rolled_back").exists()


def test_with_nothing_to_go_back_to_it_says_so_before_anything_is_stopped(story: Story) -> None:
    promotion = run(story)
    story.old.promotions.all().delete()
    story.service.deployments.filter(release=story.old).delete()
    with pytest.raises(ConflictError, match="nothing to go back to"):
        stop_promotion(promotion.pk, then="roll back", person=story.ines, reason="", at=NOW)
    promotion.refresh_from_db()
    assert promotion.stop_requested_at is None


def test_what_waits_is_cancelled_and_not_stopped(story: Story) -> None:
    promotion = story.ask()
    with pytest.raises(ConflictError, match="cancel it instead"):
        stop_promotion(promotion.pk, then="leave", person=story.ines, reason="", at=NOW)


def test_another_choice_is_refused(story: Story) -> None:
    promotion = run(story)
    with pytest.raises(InputError) as caught:
        stop_promotion(promotion.pk, then="", person=story.ines, reason="", at=NOW)
    assert caught.value.key == "then"
