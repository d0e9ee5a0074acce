"""The present of one service, and bringing releases to it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from demo.journeys import HOUR, plan_approvals, promote
from demo.ordinary import Pipelines
from demo.releases import DemoRelease
from demo.stories import MINUTE, Story
from demo.timeline import working_time


@dataclass(slots=True)
class Today:
    """What an ending needs: the story, its pipelines, the present; then what runs in production."""

    story: Story
    pipelines: Pipelines
    now: datetime
    running: DemoRelease = field(init=False)

    def ago(self, **length: float) -> datetime:
        """So long before the present."""
        return self.now - timedelta(**length)

    def stage(self, version: str, staged_at: datetime) -> DemoRelease:
        """A new version that came to staging about then."""
        release = self.story.build(version, staged_at - 3 * HOUR)
        at = release.built_at + 5 * MINUTE
        for place in self.story.before_staging:
            self.story.deploy_by_workflow(release, place, at)
            at += 30 * MINUTE
        if self.story.service.is_automatic:
            self.story.roll_out_promoted(release, "staging", at - 25 * MINUTE, expected="succeeded")
        else:
            self.story.deploy_by_workflow(release, "staging", staged_at)
        return release

    def settle(self, version: str, at: datetime) -> DemoRelease:
        """A version whose way to production ended well about then."""
        story, at = self.story, working_time(at)
        soak = timedelta(hours=30)
        release = self.stage(version, at - soak)
        approvals = [
            (name, at + number * 9 * MINUTE)
            for number, (name, _) in enumerate(plan_approvals(story, at, (0, 0)))
        ]
        promote(story, release, at - 2 * HOUR, approvals)
        self.running = release
        return release
