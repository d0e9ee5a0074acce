"""The ordinary part of a service's history: release after release, mostly well."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo import acting
from demo.journeys import (
    HOUR,
    bring_to_staging,
    deploy_past_us,
    earliest_ask,
    hotfix,
    plan_approvals,
    promote,
    suffer_an_incident,
    undo,
)
from demo.pipelines import DECIDES, MOVES, write_pipeline
from demo.releases import DemoRelease
from demo.stories import MINUTE, Story
from demo.timeline import working_time
from promotion.actions.apply_pipeline import apply_pipeline

SURE_TO_END_IN = timedelta(days=6)
CALM = ("rejected", "cancelled")


@dataclass(slots=True)
class Pipelines:
    """When a service's pipelines are applied, and which one counts."""

    story: Story
    port: int
    moves_at: datetime
    form: int = 0

    def apply(self, form: int, at: datetime, *, broken_path: bool = False) -> None:
        """The platform engineer applies the next form."""
        text = write_pipeline(self.story.service, form, self.port, broken_path=broken_path)

        def act() -> None:
            apply_pipeline(text, person=acting.person_named("luca"), at=at)

        self.story.timeline.add(at, act)
        self.form = form

    def move_before(self, at: datetime, busy_until: datetime) -> None:
        """The second form comes between two promotions, so that no approval becomes stale."""
        if self.form == DECIDES and at > self.moves_at:
            self.apply(MOVES, min(max(self.moves_at, busy_until + 10 * MINUTE), at - 5 * MINUTE))


@dataclass(slots=True)
class Ordinary:
    """Tells releases up to a time; afterwards knows what runs in production."""

    story: Story
    pipelines: Pipelines
    until: datetime
    busy_until: datetime
    production: DemoRelease | None = None

    def tell(self, versions: Iterator[str], times: list[datetime]) -> None:
        """One release at each time, while there are versions."""
        for at in times:
            version = next(versions, None)
            if version is None:
                return
            release = self.story.build(version, working_time(at))
            staged_at = bring_to_staging(self.story, release)
            asked_at = earliest_ask(self.story, staged_at)
            if asked_at < self.busy_until + HOUR or asked_at + SURE_TO_END_IN > self.until:
                continue  # it stays in staging, and a later one goes on
            self.pipelines.move_before(asked_at, self.busy_until)
            self.busy_until = self._go_to_production(release, asked_at, versions)

    def _go_to_production(
        self, release: DemoRelease, at: datetime, versions: Iterator[str]
    ) -> datetime:
        way = self._choose_way(at)
        goes_wrong = (
            self.production is not None and self.story.rng.random() < self.story.team.going_wrong
        )
        if way != "promoted":
            ended_at = deploy_past_us(self.story, release, at, way)
            if goes_wrong and self.production:
                noticed_at = suffer_an_incident(self.story, ended_at)
                return deploy_past_us(self.story, self.production, noticed_at + 40 * MINUTE, way)
            self.production = release
            return ended_at
        approvals = plan_approvals(self.story, at, self.story.team.hours_to_approve)
        if goes_wrong and self.production:
            return self._go_wrong(release, self.production, at, approvals, versions)
        ended_at = promote(self.story, release, at, approvals)
        self.production = release
        return ended_at

    def _choose_way(self, at: datetime) -> str:
        team = self.story.team
        share = self.story.rng.random()
        if at < self.story.timeline.ends_at - timedelta(days=team.promotes_since_days):
            return "tool" if share < 0.55 else "hand"
        for way, weight in (
            ("tool", team.by_tool), ("hand", team.by_hand), ("unknown", team.by_unknown)
        ):  # fmt: skip
            if share < weight:
                return way
            share -= weight
        return "promoted"

    def _go_wrong(
        self,
        release: DemoRelease,
        good: DemoRelease,
        at: datetime,
        approvals: list[tuple[str, datetime]],
        versions: Iterator[str],
    ) -> datetime:
        story = self.story
        how = story.rng.choice(("fails", "bad", "hotfix", *(CALM if approvals else ())))
        if how == "hotfix" and story.service.soak:
            how = "bad"  # nothing passes the soak in haste
        if how == "rejected":
            story.ask(release, "production", at)
            by, decided_at = approvals[0]
            story.reject(release, decided_at, by, "The migration cannot be taken back. Split it.")
            return decided_at
        if how == "cancelled":
            asker = story.rng.choice(story.team.authors)
            story.ask(release, "production", at, by=asker)
            story.cancel(release, at + 10 * MINUTE, asker, "Found a bug in it just now.")
            return at + 10 * MINUTE
        if how == "fails":
            ended_at = promote(story, release, at, approvals, result="failed")
            return undo(story, release, good, ended_at)
        ended_at = promote(story, release, at, approvals)
        noticed_at = suffer_an_incident(story, ended_at, digest=release.digest)
        version = next(versions, None) if how == "hotfix" else None
        if version is None:
            return undo(story, release, good, noticed_at)
        self.production, ended_at = hotfix(story, version, noticed_at)
        return ended_at


def spread_times(story: Story, begins_at: datetime, until: datetime) -> list[datetime]:
    """When releases are pushed: about every so many days, never evenly."""
    days = story.team.days_between_releases
    times, at = [], begins_at + timedelta(days=story.rng.uniform(0.2, days))
    while at < until:
        times.append(at)
        at += timedelta(days=days * story.rng.uniform(0.6, 1.4))
    return times
