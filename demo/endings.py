"""How each service's story stands today: what waits, runs, failed, drifted; each for a real reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from demo import acting
from demo.journeys import HOUR, promote, undo
from demo.pipelines import MOVES, VERIFIES
from demo.stories import MINUTE
from demo.today import Today
from promotion.actions.freeze import Scope, freeze
from promotion.actions.veto import veto_release
from promotion.models import Service

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ending:
    """How many of the newest versions it tells of, when the last of them settled, and the telling."""

    versions: int
    settled_days_ago: float
    tell: Callable[["Today", Sequence[str]], None]


def _up_to_date(_today: Today, _: Sequence[str]) -> None:
    """The newest version runs everywhere."""


def _waits_for_second_approval(today: Today, versions: Sequence[str]) -> None:
    """Everything is ready, one of two has approved."""
    first, second = versions
    release = today.stage(first, today.ago(hours=26.2))
    today.story.ask(
        release, "production", today.ago(hours=2), by="tomasz",
        reason="Pallet-level tracking events, and no more duplicate pickup notices.",
    )  # fmt: skip
    comment = "Checked the duplicate-notice fix in staging, looks right."
    today.story.approve(release, today.ago(minutes=80), "priya", comment)
    newer = today.story.build(second, today.ago(minutes=55))
    today.story.deploy_by_workflow(newer, "dev", today.ago(minutes=38))


def _waits_for_approval(today: Today, versions: Sequence[str]) -> None:
    """Asked for some hours ago, ready but for the approvals."""
    release = today.stage(versions[0], today.ago(hours=44))
    today.story.ask(release, "production", today.ago(hours=5))


def _rolls_out_in_waves(today: Today, versions: Sequence[str]) -> None:
    """The first wave runs, and the pause before the second is not over."""
    release = today.stage(versions[0], today.ago(hours=30))
    story = today.story
    story.ask(release, "production", today.ago(hours=3))
    story.approve(release, today.ago(minutes=20), "daniel")
    story.roll_out_promoted(
        release, "production", today.ago(minutes=17), targets=("eu-1",), expected="running"
    )


def _has_nobody_left(today: Today, versions: Sequence[str]) -> None:
    """Both who may approve wrote a part of it."""
    story = today.story
    release = story.build(versions[0], today.ago(days=4, hours=9), authors=("amara", "mei"))
    at = release.built_at + 5 * MINUTE
    for place in (*story.before_staging, "staging"):
        story.deploy_by_workflow(release, place, at)
        at += 50 * MINUTE
    story.ask(release, "production", today.ago(days=4, hours=6), by="jonas")


def _errored(today: Today, versions: Sequence[str]) -> None:
    """The pipeline named a folder that the GitOps repository does not have."""
    story = today.story
    release = today.stage(versions[0], today.ago(hours=50))
    today.pipelines.apply(MOVES, today.ago(hours=30), broken_path=True)
    story.ask(release, "production", today.ago(hours=28))
    story.approve(release, today.ago(hours=27), "mei")
    story.approve(release, today.ago(hours=26), "daniel")
    at = today.ago(hours=25.9)
    story.timeline.add(
        at, partial(acting.go_on_with, release.digest, "production", at, expected="errored")
    )
    today.pipelines.apply(MOVES, today.ago(hours=25))


def _failed_in_staging(today: Today, versions: Sequence[str]) -> None:
    """A promotion into staging failed, and the release before was brought back."""
    story = today.story
    release = story.build(versions[0], today.ago(hours=9))
    at = release.built_at + 5 * MINUTE
    for place in story.before_staging:
        story.deploy_by_workflow(release, place, at)
        at += 40 * MINUTE
    story.ask(release, "staging", today.ago(hours=6), by="kenji")
    ended_at = story.roll_out_promoted(
        release, "staging", today.ago(hours=5.9), result="failed", expected="failed"
    )
    story.roll_back(
        release, today.running, ended_at + 15 * MINUTE,
        by="mei", reason="It does not start in staging.", environment="staging",
    )  # fmt: skip


def _soaks(today: Today, versions: Sequence[str]) -> None:
    """Waits for an approval, and for the soak in staging, which is over in four hours."""
    release = today.stage(versions[0], today.ago(hours=20))
    today.story.ask(release, "production", today.ago(hours=19), by="kenji")


def _expired(today: Today, versions: Sequence[str]) -> None:
    """Nobody decided for fourteen days."""
    release = today.stage(versions[0], today.ago(days=16))
    asked_at = today.ago(days=15)
    today.story.ask(release, "production", asked_at, by="kenji")
    at = asked_at + 14 * DAY + MINUTE
    today.story.timeline.add(
        at, partial(acting.go_on_with, release.digest, "production", at, expected="expired")
    )


def _rejected(today: Today, versions: Sequence[str]) -> None:
    """A release manager said no yesterday."""
    release = today.stage(versions[0], today.ago(hours=47))
    today.story.ask(release, "production", today.ago(hours=25), by="kenji")
    comment = "Border codes of the new year are missing; we would have to go back."
    today.story.reject(release, today.ago(hours=22), "mei", comment)


def _drifts(today: Today, versions: Sequence[str]) -> None:
    """Somebody put another build of the running version into one cluster."""
    story = today.story
    patched = replace(today.running, take=2)
    for hours in (53, 29, 5):
        at = today.ago(hours=hours)
        story.observe("us-1", patched.digest, at)
    today.stage(versions[0], today.ago(hours=48))


def _begins(today: Today, versions: Sequence[str]) -> None:
    """The newest version is in dev alone."""
    newer = today.story.build(versions[0], today.ago(hours=6))
    today.story.deploy_by_workflow(newer, "dev", today.ago(hours=5.5))


def _built_twice(today: Today, versions: Sequence[str]) -> None:
    """The same version was built again from the same commit, and the bytes differ."""
    release = today.stage(versions[0], today.ago(hours=70))
    again = replace(release, take=2)
    today.story.publish(again, today.ago(hours=60))
    today.story.deploy_to_production(
        again, today.ago(hours=58), sender="deploy-script", mechanism="manual", actor="leila"
    )


def _vetoed(today: Today, versions: Sequence[str]) -> None:
    """A release manager vetoed what had been asked for."""
    release = today.stage(versions[0], today.ago(hours=60))
    today.story.ask(release, "production", today.ago(hours=40))
    at = today.ago(hours=31)

    def act() -> None:
        found = acting.release_of(release.digest)
        person = acting.person_named("ruth")
        veto_release(found.pk, person=person, reason="It computes the limit without VAT.", at=at)
        acting.go_on_with(release.digest, "production", at, expected="waiting")

    today.story.timeline.add(at, act)


def _frozen(today: Today, versions: Sequence[str]) -> None:
    """Asked for and approved, and then frozen until tomorrow morning."""
    story = today.story
    at = today.ago(hours=7)
    ends_at = (today.now + DAY).replace(hour=6, minute=0, second=0, microsecond=0)

    def act() -> None:
        service = Service.objects.get(slug=story.service.slug)
        freeze(
            Scope(service=service),
            person=acting.person_named("ines"),
            reason="Drivers change over to the new app tonight.",
            at=at,
            ends_at=ends_at,
        )

    story.timeline.add(at, act)
    release = today.stage(versions[0], today.ago(hours=40))
    story.ask(release, "production", today.ago(hours=6.5))
    story.approve(release, today.ago(hours=6), "daniel")


def _superseded(today: Today, versions: Sequence[str]) -> None:
    """A newer request took the place of one that waited."""
    older = today.stage(versions[0], today.ago(hours=80))
    today.story.ask(older, "production", today.ago(hours=52), by="leila")
    newer = today.stage(versions[1], today.ago(hours=30))
    today.story.ask(newer, "production", today.ago(hours=9), by="leila")


def _rolled_back(today: Today, versions: Sequence[str]) -> None:
    """It ran for an hour, then an incident, and the release before again."""
    story, good = today.story, today.running
    release = today.stage(versions[0], today.ago(hours=75))
    ended_at = promote(story, release, today.ago(hours=54), [("daniel", today.ago(hours=53))])
    title = "dispatch-board: drivers see yesterday's routes"
    story.report_incident(title, ended_at + HOUR, ended_at + 2.5 * HOUR)
    undo(story, release, good, ended_at + HOUR)


def _runs_something_unknown(today: Today, _: Sequence[str]) -> None:
    """The inventory sees a digest that no build of ours made; no version is new."""
    for hours in (30, 6):
        stranger = replace(today.running, version=f"{today.running.version}-patched", take=9)
        today.story.observe("eu-1", stranger.digest, today.ago(hours=hours))


def _cancelled(today: Today, versions: Sequence[str]) -> None:
    """Who asked took it back."""
    release = today.stage(versions[0], today.ago(hours=90))
    today.story.ask(release, "production", today.ago(hours=32), by="oskar")
    today.story.cancel(release, today.ago(hours=31), "oskar", "The partner is not ready yet.")


def _lags(today: Today, versions: Sequence[str]) -> None:
    """Two versions in staging that nobody asked for in production."""
    for number, version in enumerate(versions):
        today.stage(version, today.ago(days=9 - 5 * number))


ENDINGS = {
    "up_to_date": Ending(0, 5, _up_to_date),
    "waits_for_second_approval": Ending(2, 12, _waits_for_second_approval),
    "waits_for_approval": Ending(1, 9, _waits_for_approval),
    "rolls_out_in_waves": Ending(1, 6, _rolls_out_in_waves),
    "has_nobody_left": Ending(1, 31, _has_nobody_left),
    "errored": Ending(1, 11, _errored),
    "failed_in_staging": Ending(1, 17, _failed_in_staging),
    "soaks": Ending(1, 8, _soaks),
    "expired": Ending(1, 24, _expired),
    "rejected": Ending(1, 13, _rejected),
    "drifts": Ending(1, 10, _drifts),
    "begins": Ending(1, 15, _begins),
    "built_twice": Ending(1, 12, _built_twice),
    "vetoed": Ending(1, 14, _vetoed),
    "frozen": Ending(1, 8, _frozen),
    "superseded": Ending(2, 12, _superseded),
    "rolled_back": Ending(1, 9, _rolled_back),
    "runs_something_unknown": Ending(0, 16, _runs_something_unknown),
    "cancelled": Ending(1, 21, _cancelled),
    "lags": Ending(2, 26, _lags),
}


def apply_newest_form(today: Today) -> None:
    """Services that verify or go in waves have said so for three days."""
    service = today.story.service
    if service.verifies or service.has_waves:
        today.pipelines.apply(VERIFIES, today.ago(days=3))
