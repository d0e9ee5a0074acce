"""The dry run of a pipeline: what waits is judged by the real rules, and nothing is written."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from promotion.actions.advance import advance
from promotion.actions.apply_pipeline import apply_pipeline, check_pipeline
from promotion.actions.dry_run import DryRun, dry_run
from promotion.models import Approval, AuditEntry, GateResult, PipelineVersion, Promotion
from tests import factories
from tests.parts.promotion_story import HOUR, NOW, Story, tell_story
from tests.parts.promotion_story import PIPELINE as TOLD

pytestmark = pytest.mark.django_db
PIPELINE = TOLD.replace("    approvals:", "    gates: [{{soak: {{for: 24h}}}}]\n    approvals:")


@pytest.fixture
def story() -> Story:
    return tell_story(text=PIPELINE)


def text_of(story: Story) -> str:
    return PipelineVersion.objects.filter(pipeline__service=story.service).latest("number").text


def try_out(story: Story, text: str, at: Any = NOW) -> DryRun:
    form, problems, _ = check_pipeline(text, at=at)
    assert form is not None
    assert not problems
    return dry_run(story.service, text, form, at=at)


def everything() -> list[Any]:
    models = (Promotion, GateResult, Approval, AuditEntry, PipelineVersion)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_it_tells_whose_approval_would_not_count_and_changes_nothing(story: Story) -> None:
    promotion = story.ask()
    story.approve(promotion, story.ines)
    before = everything()
    tried = try_out(story, text_of(story).replace("count: 2", "count: 3"))
    assert everything() == before
    [one] = tried.affected
    assert one.promotion == promotion
    assert one.stale == (story.ines,)
    assert not one.would_start
    assert any("→ 3" in sentence for sentence in tried.differences)


def test_what_it_says_of_a_promotion_is_what_happens_once_it_is_applied(story: Story) -> None:
    promotion = story.ask()
    text = text_of(story).replace("count: 2", "count: 3")
    [one] = try_out(story, text).affected
    apply_pipeline(text, person=None, at=NOW)
    advance(promotion.pk, at=NOW)
    promotion.refresh_from_db()
    assert promotion.reason == one.then


def test_a_promotion_whose_stage_goes_is_told_to_be_stranded(story: Story) -> None:
    story.ask()
    text = text_of(story)
    cut = text.index("  - name: production")
    [one] = try_out(story, text[:cut]).affected
    assert one.is_stranded
    assert "No stage leads to Production" in one.then


def test_a_text_that_says_the_same_changes_nothing(story: Story) -> None:
    story.ask()
    tried = try_out(story, text_of(story) + "# a remark\n")
    assert tried.same
    assert tried.affected == ()


def test_a_longer_soak_takes_availability_away_and_none_gives_it(story: Story) -> None:
    text = text_of(story)
    longer = text.replace("soak: {for: 24h}", "soak: {for: 9000h}")
    assert longer != text
    tried = try_out(story, longer)
    assert {(one.release.version, one.stage) for one in tried.unavailable} >= {
        (story.new.version, "production")
    }
    assert not tried.available
    apply_pipeline(longer, person=None, at=NOW)
    back = try_out(story, text, NOW + timedelta(minutes=1))
    assert {one.release.version for one in back.available} >= {story.new.version}


def test_a_stage_made_automatic_tells_what_it_would_promote_by_itself(story: Story) -> None:
    text = text_of(story).replace(
        "    environment: production\n", "    environment: production\n    auto: true\n"
    )
    assert ("production", story.new) in try_out(story, text).automatic
    assert not Promotion.objects.exists()


def test_its_queries_stay_bounded_however_many_versions_and_releases_there_are(
    story: Story, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        factories.make_release(story.service, f"9.{number}.0", at=NOW - (400 + number) * HOUR)
    text = text_of(story).replace("count: 2", "count: 3")
    with django_assert_max_num_queries(40):
        try_out(story, text)
    assert connection.in_atomic_block
