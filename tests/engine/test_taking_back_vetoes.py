"""Taking back a veto, and what a release manager may approve a release past."""

from datetime import timedelta

import pytest

from promotion.actions.exceptions import Wanted, grant_exception, revoke_exception
from promotion.actions.promote import Request, ask_for_promotion
from promotion.actions.veto import take_back_veto, veto_release
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import AuditEntry, Deployment, Verification
from promotion.rules.states import State
from tests.factories import NOW, make_release_manager, make_team
from tests.parts.promotion_story import PIPELINE, Story, tell_story

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
SOAKING = PIPELINE.replace(
    "    after: [staging]\n", "    after: [staging]\n    gates: [{{soak: {{for: 72h}}}}]\n"
)


def test_it_goes_on_from_there_and_both_are_on_the_record() -> None:
    story = tell_story()
    promotion = story.ask()
    veto_release(story.new.pk, person=story.ines, reason="Loses data", at=NOW)
    story.approve(promotion, story.ines, story.priya, at=NOW)
    assert promotion.state == State.WAITING
    take_back_veto(story.new.pk, person=story.priya, reason="It was the test data", at=NOW + HOUR)
    story.look(promotion, NOW + HOUR)
    assert promotion.state == State.RUNNING
    entry = AuditEntry.objects.get(action="release.unveto")
    assert (entry.actor, entry.reason) == (story.priya, "It was the test data")
    assert entry.details["veto_reason"] == "Loses data"
    assert entry.details["vetoed_by"] == "ines"


def test_it_takes_a_release_manager_of_the_team_a_reason_and_a_veto() -> None:
    story = tell_story()
    take = {"reason": "Fine", "at": NOW}
    with pytest.raises(ConflictError, match="is not vetoed"):
        take_back_veto(story.new.pk, person=story.ines, **take)
    veto_release(story.new.pk, person=story.ines, reason="Loses data", at=NOW)
    for person in (story.tomasz, make_release_manager("nora", team=make_team("billing"))):
        with pytest.raises(NotAllowedError):
            take_back_veto(story.new.pk, person=person, **take)
    with pytest.raises(InputError):
        take_back_veto(story.new.pk, person=story.ines, reason=" ", at=NOW)
    story.new.refresh_from_db()
    assert story.new.is_vetoed
    take_back_veto(story.new.pk, person=story.ines, **take)
    with pytest.raises(ConflictError, match="is not vetoed"):
        take_back_veto(story.new.pk, person=story.ines, **take)


def grant(story: Story, gate: str, person=None):
    wanted = Wanted(story.new, story.production, gate, "Known good.", story.priya, NOW + HOUR)
    return grant_exception(wanted, person=person or story.ines, at=NOW)


def test_a_manager_approves_past_verification_and_soak_with_one_exception() -> None:
    story = tell_story(text=SOAKING)
    Verification.objects.create(
        release=story.new, environment=story.staging, has_passed=False, at=NOW - HOUR
    )
    promotion = story.ask()
    assert promotion.gate_results.get(gate="soak").verdict == "waiting"
    made = grant(story, "order")
    story.look(promotion)
    assert promotion.gate_results.get(gate="order").verdict == "open"
    soak = promotion.gate_results.get(gate="soak")
    assert (soak.verdict, soak.exception) == ("open", made)
    assert (made.granted_by, made.owner) == (story.ines, story.priya)
    revoke_exception(made.pk, person=story.daniel, reason="", at=NOW)
    story.look(promotion)
    assert promotion.gate_results.get(gate="soak").verdict == "waiting"


def test_never_past_the_deployment_upstream() -> None:
    story = tell_story(text=SOAKING)
    Deployment.objects.filter(environment=story.staging).delete()
    grant(story, "order")
    asked = ask_for_promotion(
        Request(story.new, story.production, person=story.tomasz, fields={"reason": "Now"}), at=NOW
    ).promotion
    story.look(asked)
    assert asked.gate_results.get(gate="order").verdict == "closed"


@pytest.mark.parametrize("gate", ["tests", "window"])
def test_other_gates_take_the_right_of_its_own(gate: str) -> None:
    with pytest.raises(NotAllowedError, match="right of its own"):
        grant(tell_story(), gate)


def test_managers_of_other_teams_and_members_may_not() -> None:
    story = tell_story(text=SOAKING)
    for person in (story.tomasz, make_release_manager("nora", team=make_team("billing"))):
        with pytest.raises(NotAllowedError):
            grant(story, "soak", person)
