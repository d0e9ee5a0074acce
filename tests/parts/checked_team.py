"""A team with one service whose facts are made row by row: the checks' tests change one thing of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from metrics.actions.recompute_checks import recompute_checks
from metrics.models import CheckResult
from promotion.actions.readiness import take_snapshot
from promotion.gates.asked import gates_asked_for
from promotion.models import (
    Approval,
    Deployment,
    Environment,
    GateResult,
    PipelineVersion,
    Promotion,
    Release,
    Service,
    Team,
    User,
)
from promotion.rules.states import State
from tests import factories

NOW = factories.NOW
PIPELINE = """
service: {service}
stages:
  - {{name: dev, environment: dev}}
  - {{name: staging, environment: staging, after: [dev]}}
  - name: production
    environment: production
    after: [staging]
    gates: [checksum]
    approvals:
      - {{name: managers, count: 1, from: ["role:release manager"]}}
"""
STEPS = ("oci-copy", "git-commit")


@dataclass(slots=True)
class CheckedTeam:
    """The rows, and what the checks find of them."""

    team: Team
    service: Service
    places: dict[str, Environment]
    pipeline: PipelineVersion
    manager: User
    releases: list[Release] = field(default_factory=list)

    def release(self, version: str, at: datetime) -> Release:
        """Built with all its metadata, and tagged in a repository, at that time."""
        build = factories.make_build(
            self.service, factories.commit_of(f"{self.service.slug} {version}"), finished_at=at
        )
        artifact = factories.make_artifact(self.service, version, build=build, first_seen_at=at)
        artifact.tags.update(seen_at=at)
        release = factories.make_release(self.service, version, artifacts=[artifact], at=at)
        self.releases.append(release)
        return release

    def deploy(self, release: Release, place: str, at: datetime, **fields: Any) -> Deployment:
        """A deployment reported at once."""
        fields = {"mechanism": "automated", "run_id": "4711", **fields}
        return factories.make_deployment(release, self.places[place], at=at, **fields)

    def pass_through(self, release: Release, at: datetime) -> None:
        """It runs in dev, then in staging, up to an hour before that time."""
        self.deploy(release, "dev", at - timedelta(hours=3))
        self.deploy(release, "staging", at - timedelta(hours=1))

    def promote(
        self,
        release: Release,
        at: datetime,
        *,
        place: str = "production",
        state: State = State.SUCCEEDED,
        steps: Iterable[str] = STEPS,
        run_id: str = "4711",
        gates: bool = True,
        approved: bool = True,
        deployed: bool = True,
        **fields: Any,
    ) -> Promotion:
        """A promotion that started at that time with its controls, its steps and its deployment."""
        promotion = factories.make_promotion(
            release, self.places[place], state=state, at=at - timedelta(hours=1),
            started_at=at, ended_at=at + timedelta(minutes=10), **fields,
        )  # fmt: skip
        if gates:
            self.open_gates(promotion)
        if approved:
            self.approve(promotion, at - timedelta(minutes=10))
        for kind in steps:
            factories.make_step_run(
                promotion, kind, state="succeeded", started_at=at,
                finished_at=at + timedelta(minutes=1),
            )  # fmt: skip
        if deployed:
            result = "succeeded" if state is State.SUCCEEDED else "failed"
            self.deploy(
                release, place, at + timedelta(minutes=5), promotion=promotion, result=result,
                started_at=at + timedelta(minutes=2), run_id=run_id,
            )  # fmt: skip
        return promotion

    def open_gates(self, promotion: Promotion, **fields: Any) -> None:
        """Every gate of its stage was open when it started."""
        stage = promotion.pipeline_version.form.stage_of(promotion.environment.slug)
        assert stage is not None
        for asked in gates_asked_for(stage, promotion.kind):
            GateResult.objects.create(
                promotion=promotion, position=asked.position, gate=asked.kind,
                is_required=asked.is_required, verdict="open", reason="It is.",
                content_hash=promotion.content_hash, fresh_until=promotion.started_at,
                **{"measured_at": promotion.started_at, **fields},
            )  # fmt: skip

    def approve(self, promotion: Promotion, at: datetime) -> None:
        """A release manager approves it."""
        Approval.objects.create(
            promotion=promotion, person=self.manager, decision="approve",
            content_hash=promotion.content_hash, readiness=take_snapshot(promotion), at=at,
        )  # fmt: skip

    def do_well(self, count: int = 12, *, until: datetime = NOW, first: int = 0) -> list[Promotion]:
        """So many releases, each built once and promoted as it should be, a few days apart."""
        done = []
        for number in range(first, first + count):
            at = until - timedelta(days=2 + 3 * (count - 1 - (number - first)))
            release = self.release(f"1.{number}.0", at - timedelta(hours=6))
            self.pass_through(release, at)
            done.append(self.promote(release, at))
        return done

    def find(self, statement: str, at: datetime = NOW) -> CheckResult:
        """What the check of a statement finds, by the action that keeps it."""
        recompute_checks(at, teams=[self.team])
        return CheckResult.objects.get(team=self.team, statement_id=statement, as_of=at)

    def find_all(self, at: datetime = NOW) -> Mapping[str, CheckResult]:
        """What every check finds."""
        recompute_checks(at, teams=[self.team])
        return {
            each.statement_id: each for each in CheckResult.objects.filter(team=self.team, as_of=at)
        }


def make_checked_team(slug: str = "shipping", pipeline: str = PIPELINE) -> CheckedTeam:
    """A team, its service with a pipeline of three stages, and a release manager."""
    team = factories.make_team(slug)
    service = factories.make_service(f"{slug}-api", team=team)
    places = factories.make_environments()
    version = factories.make_pipeline(service, pipeline, at=NOW - timedelta(days=800))
    manager = factories.make_release_manager("ines")
    return CheckedTeam(team, service, places, version, manager)
