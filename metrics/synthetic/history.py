"""The history of one made-up service."""

import hashlib
import random
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model

from metrics.rollups.inserting import insert_rows
from promotion.models import (
    Approval,
    Artifact,
    Build,
    BuildArtifact,
    Deployment,
    DeploymentReport,
    Evidence,
    Incident,
    Observation,
    PipelineVersion,
    Promotion,
    Release,
    Service,
)

from .places import HOUR, REACHES, STAGES, TARGETS, Places


class ServiceHistory:
    """The releases of one service, one after the other, each as far as it came."""

    def __init__(
        self, places: Places, service: Service, chance: random.Random, at: datetime, days: int
    ) -> None:
        self.places, self.service, self.chance = places, service, chance
        self.at, self.since = at, at - timedelta(days=days)
        self.version = PipelineVersion.objects.get(pipeline__service=service).pk
        self.rows: dict[type[Model], list[dict[str, Any]]] = defaultdict(list)
        self.runs: dict[str, Any] | None = None  # what is in production
        self.deployments = 0

    def make(self, releases: int) -> int:
        """Makes and saves so many releases; returns the number of deployments."""
        span = (self.at - self.since) / releases
        for number in range(releases):
            self._make_release(number, self.since + span * (number + self.chance.random() * 0.5))
        self._observe()
        through = Release.artifacts.through
        for model in (
            *(Build, Artifact, BuildArtifact, Release, through, Evidence),
            *(Promotion, Approval, Deployment, DeploymentReport, Incident, Observation),
        ):
            insert_rows(model, self.rows[model])
        return self.deployments

    def _add(self, model: type[Model], **columns: Any) -> int:
        key = self.places.key(model)
        self.rows[model].append({"id": key, **columns})
        return key

    def _make_release(self, number: int, at: datetime) -> None:
        name = f"{self.service.slug} {number}"
        digest = "sha256:" + hashlib.sha256(name.encode()).hexdigest()
        commit = "" if self.chance.random() < 0.01 else digest[7:47]
        built_at = at + 0.1 * HOUR
        version = f"1.{number}.0"
        shared = {"service_id": self.service.pk, "commit": commit}
        artifact = self._add(
            Artifact,
            digest=digest,
            name=f"synthetic/{self.service.slug}",
            first_seen_at=built_at,
            **shared,
        )
        if self.chance.random() > 0.01:
            build = self._add(
                Build,
                source="synthetic",
                external_id=str(number),
                version=version,
                repository=self.service.repository,
                result="succeeded",
                started_at=at,
                finished_at=built_at,
                received_at=built_at,
                **shared,
            )
            self._add(BuildArtifact, build_id=build, artifact_id=artifact, is_stated=True)
        if self.chance.random() > 0.05:
            self._add(
                Evidence,
                artifact_id=artifact,
                digest=digest,
                type="signature",
                result="passed",
                is_verified=True,
                received_at=built_at,
            )
        sums = hashlib.sha256(digest.encode()).hexdigest()
        release = self._add(
            Release, version=version, digests_sha256=sums, created_at=built_at, **shared
        )
        self._add(Release.artifacts.through, release_id=release, artifact_id=artifact)
        told = {
            "digest": digest,
            "artifact_id": artifact,
            "release_id": release,
            "version": version,
        }
        self._promote(told, built_at)

    def _promote(self, told: dict[str, Any], at: datetime) -> None:
        for stage in STAGES:
            if self.chance.random() > REACHES[stage]:
                return
            at += HOUR * self.chance.lognormvariate(1.5 if stage == "production" else 0, 1)
            if at > self.at - HOUR:
                return
            at = self._deploy(stage, told, at)
        self._judge(told, at)

    def _deploy(
        self, stage: str, told: dict[str, Any], at: datetime, kind: str = "normal"
    ) -> datetime:
        """One deployment, by a promotion, another tool, or a person; returns when it ended."""
        way, failed = self.chance.random(), self.chance.random() < 0.03
        ended = at + timedelta(minutes=self.chance.lognormvariate(1.5, 0.7))
        promotion, mechanism = None, ""
        if way < 0.7:
            promotion = self._ask(stage, told, at, ended, kind, failed)
        elif way < 0.9:
            mechanism = "automated"
        elif way < 0.96:
            mechanism = "manual"
        else:
            mechanism = "unknown" if way < 0.99 else ""
        received = ended + timedelta(days=2 if self.chance.random() < 0.005 else 0, seconds=5)
        self.deployments += 1
        deployment = self._add(
            Deployment,
            source="synthetic",
            external_id=str(self.deployments),
            service_id=self.service.pk,
            environment_id=self.places.environments[stage],
            found="stated",
            promotion_id=promotion,
            result="failed" if failed else "succeeded",
            started_at=at,
            finished_at=ended,
            mechanism=mechanism,
            kind="" if promotion else kind,
            received_at=min(received, self.at),
            **told,
        )
        self._add(
            DeploymentReport,
            deployment_id=deployment,
            digest=told["digest"],
            occurred_at=ended,
            result="failed" if failed else "succeeded",
            started_at=at,
            finished_at=ended,
            received_at=min(received, self.at),
        )
        return ended

    def _ask(
        self,
        stage: str,
        told: dict[str, Any],
        at: datetime,
        ended: datetime,
        kind: str,
        failed: bool,
    ) -> int:
        asked = at - HOUR * self.chance.random()
        promotion = self._add(
            Promotion,
            release_id=told["release_id"],
            service_id=self.service.pk,
            environment_id=self.places.environments[stage],
            stage=stage,
            kind=kind,
            state="failed" if failed else "succeeded",
            pipeline_version_id=self.version,
            content_hash=told["digest"],
            asked_at=asked,
            expires_at=asked + timedelta(days=14),
            started_at=at,
            ended_at=ended,
            attempt=1,
            mechanism="manual" if self.chance.random() < 0.03 else "automated",
        )
        if stage == "production" and self.chance.random() > 0.02:
            self._add(
                Approval,
                promotion_id=promotion,
                person_id=self.chance.choice(self.places.people),
                decision="approve",
                content_hash=told["digest"],
                at=asked + (at - asked) / 2,
            )
        return promotion

    def _judge(self, told: dict[str, Any], at: datetime) -> None:
        """What became of a release in production: an incident, a way back, or nothing."""
        fate = self.chance.random()
        before, self.runs = self.runs, told
        later = at + HOUR * self.chance.uniform(0.3, 6)
        if fate > 0.05 or later > self.at - HOUR:
            return
        if fate < 0.03:
            resolved = later + HOUR * self.chance.lognormvariate(0, 1)
            self._add(
                Incident,
                source="synthetic",
                external_id=f"{self.service.slug}-{at:%y%m%d%H%M%S%f}",
                service_id=self.service.pk,
                environment_id=self.places.environments["production"],
                title="Errors above the limit",
                opened_at=later,
                received_at=later,
                resolved_at=resolved if resolved < self.at else None,
            )
        elif before is not None:
            self._deploy("production", before, later, "rollback")
            self.runs = before

    def _observe(self) -> None:
        """What runs was seen on most targets within the last day."""
        for target in TARGETS:
            if self.runs is not None and self.chance.random() < 0.97:
                seen = self.at - HOUR * self.chance.uniform(0.1, 20)
                self._add(
                    Observation,
                    service_id=self.service.pk,
                    target=target,
                    seen_at=seen,
                    environment_id=self.places.environments["production"],
                    received_at=seen,
                    digest=self.runs["digest"],
                    artifact_id=self.runs["artifact_id"],
                )
