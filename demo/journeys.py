"""The usual ways of a release: to staging, to production, and what goes wrong there."""

from datetime import datetime, timedelta

from demo.organisation import DemoTeam
from demo.releases import DemoRelease
from demo.stories import MINUTE, Story
from demo.timeline import working_time
from promotion.models import Promotion
from promotion.rules.durations import parse_duration

HOUR = timedelta(hours=1)
AT_ONCE = (0.1, 0.4)
INCIDENTS = (
    "Error rate above 2 %",
    "Answers take longer than 5 s",
    "Messages pile up in the queue",
    "Partners receive nothing",
)


def bring_to_staging(story: Story, release: DemoRelease, *, in_haste: bool = False) -> datetime:
    """Through the environments before and into staging; returns when it runs there."""
    at = release.built_at + 5 * MINUTE
    if story.rng.random() < 0.04 and not in_haste:
        story.deploy_by_workflow(release, "dev", at, "failure")
        at += 40 * MINUTE
    for place in story.before_staging:
        story.deploy_by_workflow(release, place, at)
        if place != story.before_staging[-1]:
            at += story.between(AT_ONCE if in_haste else story.team.hours_to_staging)
    if story.service.is_automatic:
        return story.roll_out_promoted(release, "staging", at + 4 * MINUTE, expected="succeeded")
    at += story.between(AT_ONCE if in_haste else story.team.hours_to_staging)
    story.deploy_by_workflow(release, "staging", at)
    return at


def earliest_ask(story: Story, staged_at: datetime) -> datetime:
    """When somebody would ask for production: not before the soak is over, and at work."""
    soak = parse_duration(story.service.soak) if story.service.soak else timedelta(0)
    return working_time(staged_at + max(soak + 20 * MINUTE, story.between(story.team.hours_to_ask)))


def plan_approvals(
    story: Story, asked_at: datetime, hours: tuple[float, float]
) -> list[tuple[str, datetime]]:
    """Who approves and when, in order, by the service's rule; nobody where it only observes."""
    if story.service.observes:
        return []
    names = _approvers(story, story.team)
    at, approvals = asked_at, []
    for name in names:
        at = working_time(at + story.between(hours))
        approvals.append((name, at))
    return approvals


def _approvers(story: Story, team: DemoTeam) -> list[str]:
    rule = story.service.rule
    if rule == "leads":
        return ["priya", story.rng.choice(team.approvers)]
    if rule == "team":
        return ["amara", "mei"]
    return story.rng.sample(team.approvers, 2 if rule == "two" else 1)


def promote(
    story: Story,
    release: DemoRelease,
    asked_at: datetime,
    approvals: list[tuple[str, datetime]],
    *,
    result: str = "succeeded",
    kind: str = Promotion.Kind.NORMAL,
    reason: str = "",
) -> datetime:
    """Asked for, approved, started by Throughline, rolled out; returns when it ended."""
    # An approval minutes or hours later has the gates asked anyway, and a history is long.
    looks_at_once = not approvals
    story.ask(
        release, "production", asked_at, kind=kind, reason=reason, looks_at_once=looks_at_once
    )
    for name, at in approvals:
        story.approve(release, at, name)
    started_at = approvals[-1][1] if approvals else asked_at
    expected = "succeeded" if result == "succeeded" else "failed"
    return story.roll_out_promoted(
        release, "production", started_at + 2 * MINUTE, result=result, expected=expected
    )


def suffer_an_incident(story: Story, after: datetime, *, digest: str = "") -> datetime:
    """Something goes wrong after a deployment; returns when it was noticed."""
    noticed_at = after + story.between((0.3, 3))
    resolved_at = noticed_at + story.between((0.8, 2.5))
    title = f"{story.service.slug}: {story.rng.choice(INCIDENTS)}"
    story.report_incident(title, noticed_at, resolved_at, digest=digest)
    return noticed_at


def undo(story: Story, bad: DemoRelease, good: DemoRelease, noticed_at: datetime) -> datetime:
    """A release manager brings the last good release back; returns when it runs again."""
    by = "daniel" if story.rng.random() < 0.5 else "ines"
    reason = f"{bad.version} made it worse; going back to {good.version}."
    return story.roll_back(bad, good, noticed_at + 20 * MINUTE, by=by, reason=reason)


def hotfix(story: Story, version: str, noticed_at: datetime) -> tuple[DemoRelease, datetime]:
    """A new version is built, staged and promoted in haste; returns it and when it runs."""
    release = story.build(version, noticed_at + 25 * MINUTE)
    staged_at = bring_to_staging(story, release, in_haste=True)
    asked_at = staged_at + 5 * MINUTE
    at, approvals = asked_at, []
    for name, _ in plan_approvals(story, asked_at, AT_ONCE):
        at += 12 * MINUTE
        approvals.append((name, at))
    ended_at = promote(
        story, release, asked_at, approvals,
        kind=Promotion.Kind.HOTFIX, reason="Fixes what the release before broke.",
    )  # fmt: skip
    return release, ended_at


def deploy_past_us(story: Story, release: DemoRelease, at: datetime, way: str) -> datetime:
    """Production is deployed without us: by another tool, by hand, or nobody says how."""
    if way == "tool":
        return story.deploy_to_production(release, at)
    actor = story.rng.choice(story.team.authors) if way == "hand" else ""
    mechanism = "manual" if way == "hand" else "unknown"
    return story.deploy_to_production(
        release, at, sender="deploy-script", mechanism=mechanism, actor=actor or "deploy"
    )
