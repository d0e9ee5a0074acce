"""Who counts as the requester: who asked, and the human behind what no human asked for in words."""

import pytest

from promotion.gates.approval import approval_facts
from promotion.gates.authors import requesters_of
from promotion.models import Build, Deployment, Promotion
from tests.factories import NOW
from tests.parts.promotion_story import Story, tell_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell_story()


def automatic(story: Story) -> Promotion:
    promotion = story.ask()
    Promotion.objects.filter(pk=promotion.pk).update(requested_by=None, origin="automatic")
    promotion.refresh_from_db()
    return promotion


def test_of_a_persons_request_it_is_the_person_alone(story: Story) -> None:
    Build.objects.update(actor="ines@meridian.example")
    assert requesters_of(story.ask()) == {"tomasz"}


@pytest.mark.parametrize(
    "actor", ["priya@meridian.example", "Priya-GH", "Priya Raman <Priya@Meridian.example>"]
)
def test_who_set_off_the_build_is_behind_the_automatic_request(story: Story, actor: str) -> None:
    story.priya.addresses.create(value="priya-gh")
    Build.objects.update(actor=actor)
    promotion = automatic(story)
    assert requesters_of(promotion) == {"priya"}
    facts = approval_facts(promotion, NOW)
    assert facts.admit(story.priya, "approve", "").refusal
    assert not facts.admit(story.ines, "approve", "").refusal


def test_who_deployed_it_upstream_is_behind_it_too(story: Story) -> None:
    Deployment.objects.filter(environment=story.staging).update(actor="daniel@meridian.example")
    Deployment.objects.filter(environment=story.production).update(actor="ines@meridian.example")
    assert requesters_of(automatic(story)) == {"daniel"}


@pytest.mark.parametrize("actor", ["", "renovate[bot]", "a <b", "<>", "@", "x" * 200])
def test_a_bots_name_matches_nobody(story: Story, actor: str) -> None:
    Build.objects.update(actor=actor)
    assert requesters_of(automatic(story)) == set()
