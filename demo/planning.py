"""The whole history as acts: the same acts in the same order for the same beginning."""

from datetime import datetime, timedelta
from random import Random

from demo.assessing import add_assessments
from demo.endings import ENDINGS, apply_newest_form
from demo.gitops import make_repository
from demo.looking import add_looks
from demo.models import DemoProgress
from demo.oddities import add_inventory, add_strays
from demo.ordinary import Ordinary, Pipelines, spread_times
from demo.organisation import SERVICE_BY_SLUG
from demo.pipelines import DECIDES
from demo.stories import Story
from demo.targets import add_targets
from demo.timeline import Act, Timeline, list_versions, working_time
from demo.today import Today

SEED = "Meridian Freight"
DAY = timedelta(days=1)
MOVING_FOR_DAYS = 40
KEPT_BEFORE_MOVING = 36 * DAY


def plan_history(progress: DemoProgress) -> list[Act]:
    """Every act up to the moment at which loading began."""
    now = progress.began_at
    timeline = Timeline(now - progress.days * DAY, now)
    moves_at = now - min(MOVING_FOR_DAYS, progress.days * 0.5) * DAY
    founded_at = timeline.begins_at + timedelta(minutes=30)
    slugs = list(progress.services)
    timeline.add(founded_at, lambda: make_repository(slugs, founded_at))
    for slug in slugs:
        _tell_story(slug, timeline, moves_at, progress.runtime_port)
    add_inventory(timeline)
    add_strays(timeline, slugs)
    add_targets(timeline)
    add_assessments(timeline)
    add_looks(timeline)
    return timeline.in_order()


def _tell_story(slug: str, timeline: Timeline, moves_at: datetime, port: int) -> None:
    service = SERVICE_BY_SLUG[slug]
    rng = Random(f"{SEED} {slug}")  # noqa: S311 - a story, no secret
    story = Story(service, timeline, rng, moves_at - KEPT_BEFORE_MOVING)
    now, ending = timeline.ends_at, ENDINGS[service.ending]
    pipelines = Pipelines(story, port, moves_at)
    pipelines.apply(DECIDES, timeline.begins_at + timedelta(hours=1))
    settled_at = working_time(now - ending.settled_days_ago * DAY)
    until = settled_at - 3 * DAY
    times = spread_times(story, timeline.begins_at + timedelta(hours=2), until - DAY)
    # A hotfix is a version more; what is not used is left to nobody.
    versions = list_versions(service.newest, len(times) + 6 + 1 + ending.versions)
    told = len(versions) - 1 - ending.versions
    ordinary = Ordinary(story, pipelines, until, timeline.begins_at)
    ordinary.tell(iter(versions[:told]), times)
    pipelines.move_before(
        max(moves_at, ordinary.busy_until) + timedelta(hours=1), ordinary.busy_until
    )
    today = Today(story, pipelines, now)
    today.settle(versions[told], settled_at)
    apply_newest_form(today)
    ending.tell(today, versions[told + 1 :])
