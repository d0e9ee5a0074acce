"""Telling what happened to a service: builds, deployments by others, promotions, incidents."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random

from demo import acting, payloads
from demo.images import push_image
from demo.organisation import PRODUCTION_TARGETS, TEAM_BY_SLUG, DemoService, DemoTeam
from demo.releases import DemoRelease, commit_release, first_commit
from demo.timeline import Timeline
from promotion.actions.cancel import cancel_promotion
from promotion.actions.retry import retry_promotion
from promotion.actions.roll_back import roll_back
from promotion.models import Promotion
from promotion.sources.times import format_time

MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Story:
    """The teller of one service's story: each method adds what happened to the timeline."""

    service: DemoService
    timeline: Timeline
    rng: Random
    images_kept_from: datetime
    last_commit: str = field(init=False)

    def __post_init__(self) -> None:
        self.last_commit = first_commit(self.service)

    @property
    def team(self) -> DemoTeam:
        """Who owns the service."""
        return TEAM_BY_SLUG[self.service.team]

    @property
    def before_staging(self) -> tuple[str, ...]:
        """The environments that a release sees before staging."""
        return ("dev", "qa") if self.service.has_qa else ("dev",)

    def between(self, hours: tuple[float, float]) -> timedelta:
        """A length of time between two numbers of hours."""
        return timedelta(hours=self.rng.uniform(*hours))

    def build(self, version: str, at: datetime, *, authors: tuple[str, ...] = ()) -> DemoRelease:
        """Commits are pushed then, and minutes later the image is there."""
        written_by = authors or self.team.authors
        release = commit_release(self.service, version, written_by, at, self.rng)
        push = payloads.write_push(self.service.repository, self.last_commit, release.commits)
        self.timeline.add(at, partial(acting.send, "github", push, at, event="push"))
        self.last_commit = release.commit
        self._run(release, at + MINUTE, release.built_at, "success")
        self.publish(release, release.built_at)
        return release

    def _run(self, release: DemoRelease, began: datetime, ended: datetime, conclusion: str) -> None:
        body = payloads.write_workflow_run(
            self.service.repository, release.commits[-1], began, ended, conclusion
        )
        self.timeline.add(ended, partial(acting.send, "github", body, ended, event="workflow_run"))

    def publish(self, release: DemoRelease, at: datetime) -> None:
        """The image is pushed under its version."""
        at = at + timedelta(seconds=20)

        def push() -> None:
            if at >= self.images_kept_from:
                push_image(self.service.slug, release.version, release.commit, release.take)
            body = payloads.write_package(
                self.service.repository, release.version, release.digest, release.commit, at
            )
            acting.send("github", body, at, event="registry_package")

        self.timeline.add(at, push)

    def deploy_by_workflow(
        self, release: DemoRelease, environment: str, at: datetime, state: str = "success"
    ) -> None:
        """The team's own automation deploys before production; Customs' tells it as CDEvents."""

        def tell() -> None:
            slug, version = self.service.slug, release.version
            if self.service.team == "customs" and state == "success":
                body = payloads.write_cdevent(slug, environment, version, release.digest, at)
                acting.send("delivery", body, at)
                return
            said = {"service": slug, "version": version, "digest": release.digest}
            body = payloads.write_deployment_status(
                self.service.repository, environment, state, said, release.commit, at
            )
            acting.send("github", body, at, event="deployment_status")

        self.timeline.add(at, tell)
        if self.service.is_automatic and environment == self.before_staging[-1]:
            later = at + MINUTE
            self.timeline.add(later, partial(acting.promote_what_is_due, self.service.slug, later))

    def deploy_to_production(
        self,
        release: DemoRelease,
        at: datetime,
        *,
        sender: str = "gitops-controller",
        mechanism: str = "automated",
        actor: str = "gitops-controller",
        result: str = "succeeded",
    ) -> datetime:
        """Somebody else's tool or hand deploys to every target, the last of them with this result."""
        ended = at
        for number, target in enumerate(PRODUCTION_TARGETS):
            began, ended = at + number * 4 * MINUTE, at + (number * 4 + 3) * MINUTE
            is_last = number == len(PRODUCTION_TARGETS) - 1
            self._roll_out(
                release, "production", target, began, ended, result if is_last else "succeeded",
                sender=sender, mechanism=mechanism, actor=actor,
            )  # fmt: skip
        return ended

    def roll_out_promoted(
        self,
        release: DemoRelease,
        environment: str,
        at: datetime,
        *,
        targets: Sequence[str] = PRODUCTION_TARGETS,
        result: str = "succeeded",
        expected: str = "",
    ) -> datetime:
        """What a running promotion asked for is rolled out and reported; then the promotion goes on."""
        places = targets if environment == "production" else ("",)
        for number, target in enumerate(places):
            began, ended = at + number * 3 * MINUTE, at + (number * 3 + 2) * MINUTE
            is_last = number == len(places) - 1
            self._roll_out(
                release, environment, target, began, ended, result if is_last else "succeeded",
                names_promotion=True,
            )  # fmt: skip
        later = ended + timedelta(seconds=10)
        self.timeline.add(
            later,
            partial(acting.go_on_with, release.digest, environment, later, expected=expected),
        )
        return later

    def _roll_out(
        self,
        release: DemoRelease,
        environment: str,
        target: str,
        began: datetime,
        ended: datetime,
        result: str,
        *,
        sender: str = "gitops-controller",
        mechanism: str = "automated",
        actor: str = "gitops-controller",
        names_promotion: bool = False,
    ) -> None:
        def tell() -> None:
            number = ""
            if names_promotion:
                number = acting.promotion_of(release.digest, environment).number
            identity = f"{self.service.slug}-{environment}-{target}-{int(ended.timestamp())}"
            fact = acting.write_rollout(
                self.service.slug, environment, target, release.digest, result,
                identity=identity, began_at=began, at=ended, promotion=number,
                mechanism=mechanism, actor=actor,
            )  # fmt: skip
            acting.send(sender, fact, ended)

        self.timeline.add(ended, tell)

    def ask(
        self,
        release: DemoRelease,
        environment: str,
        at: datetime,
        *,
        by: str = "",
        reason: str = "",
        kind: str = Promotion.Kind.NORMAL,
        looks_at_once: bool = True,
    ) -> None:
        """Somebody of the team asks for a promotion."""
        asker = by or self.rng.choice(self.team.authors)
        words = (
            reason or f"Bring {release.commits[-1].title[0].lower()}{release.commits[-1].title[1:]}"
        )
        self.timeline.add(
            at,
            partial(
                acting.ask, release.digest, environment, asker, at,
                reason=words, kind=kind, looks_at_once=looks_at_once,
            ),
        )  # fmt: skip

    def approve(self, release: DemoRelease, at: datetime, by: str, comment: str = "") -> None:
        """A person approves for production."""
        self.timeline.add(
            at, partial(acting.approve, release.digest, "production", by, at, comment)
        )

    def reject(self, release: DemoRelease, at: datetime, by: str, comment: str) -> None:
        """A person says no to production."""
        self.timeline.add(at, partial(acting.reject, release.digest, "production", by, at, comment))

    def cancel(self, release: DemoRelease, at: datetime, by: str, reason: str) -> None:
        """Who asked takes it back."""

        def act() -> None:
            number = acting.promotion_of(release.digest, "production").pk
            person = acting.person_named(by)
            cancel_promotion(number, person=person, reason=reason, at=at)

        self.timeline.add(at, act)

    def retry(self, release: DemoRelease, at: datetime, by: str) -> None:
        """A person asks again for what ended without success."""

        def act() -> None:
            number = acting.promotion_of(release.digest, "production").pk
            asked = retry_promotion(number, person=acting.person_named(by), at=at)
            acting.go_on(asked.promotion.pk, at)

        self.timeline.add(at, act)

    def roll_back(
        self, bad: DemoRelease, good: DemoRelease, at: datetime, *, by: str, reason: str,
        environment: str = "production",
    ) -> datetime:  # fmt: skip
        """A release manager has the last good release brought back; it is rolled out at once."""

        def act() -> None:
            number = acting.promotion_of(bad.digest, environment).pk
            person = acting.person_named(by)
            asked = roll_back(number, person=person, at=at, reason=reason)
            acting.go_on(asked.promotion.pk, at)

        self.timeline.add(at, act)
        return self.roll_out_promoted(good, environment, at + MINUTE, expected="succeeded")

    def report_incident(
        self, title: str, at: datetime, resolved_at: datetime, *, digest: str = ""
    ) -> None:
        """The incident desk tells when it was opened and when it was over."""
        identity = (
            f"INC-{payloads.number_of(self.service.slug, title, at.isoformat()) % 9000 + 1000}"
        )
        for when, result in ((at, "opened"), (resolved_at, "resolved")):
            fact = {
                "kind": "incident",
                "service": self.service.slug,
                "environment": "production",
                "name": title,
                "severity": "high",
                "result": result,
                "occurred_at": format_time(when),
                "external_id": identity,
            } | ({"digest": digest} if digest else {})
            self.timeline.add(when, partial(acting.send, "status-desk", fact, when))

    def observe(self, target: str, digest: str, at: datetime) -> None:
        """The inventory of the clusters sees a digest running in production."""
        fact = {
            "kind": "observation",
            "service": self.service.slug,
            "environment": "production",
            "target": target,
            "digest": digest,
            "occurred_at": format_time(at),
        }
        self.timeline.add(at, partial(acting.send, "inventory", fact, at))
