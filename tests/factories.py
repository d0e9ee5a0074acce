"""Makes rows for tests, each with what it cannot do without; everything else may be given.

Names count up, so that two calls never collide. Times default to `NOW`.
"""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from promotion.models import (
    Artifact,
    Build,
    BuildArtifact,
    Commit,
    Deployment,
    Environment,
    Membership,
    Observation,
    PersonAddress,
    Pipeline,
    PipelineVersion,
    Promotion,
    Release,
    RunResult,
    Service,
    StepRun,
    Team,
    Tier,
    User,
)
from promotion.rules.content import hash_canonically
from promotion.rules.pipeline import pipeline_document, read_pipeline
from promotion.rules.states import State

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
_numbers = itertools.count(1)


def make_team(slug: str = "", **columns: Any) -> Team:
    slug = slug or f"team-{next(_numbers)}"
    return Team.objects.create(
        slug=slug, name=columns.pop("name", slug.replace("-", " ").capitalize()), **columns
    )


def make_person(
    username: str = "", *roles: str, team: Team | None = None, name: str = "", **columns: Any
) -> User:
    """A person with these roles in the team (in all teams without one), and an address to match commits by."""
    username = username or f"person-{next(_numbers)}"
    first, _, last = name.partition(" ")
    person = User(
        username=username,
        first_name=first,
        last_name=last,
        email=f"{username}@example.com",
        **columns,
    )
    person.set_unusable_password()
    person.save()
    PersonAddress.objects.create(user=person, value=person.email)
    for role in roles:
        Membership.objects.create(user=person, team=team, role=role)
    return person


def make_service(slug: str = "", **columns: Any) -> Service:
    slug = slug or f"service-{next(_numbers)}"
    team = columns.pop("team", None) or make_team()
    repository = columns.pop("repository", f"meridian/{slug}")
    return Service.objects.create(slug=slug, team=team, repository=repository, **columns)


def make_environment(
    slug: str = "staging", tier: str = "", *, targets: Iterable[str] = (), **columns: Any
) -> Environment:
    """The environment of that slug; its tier is the slug where that names one."""
    known = slug if slug in Tier.values else Tier.DEVELOPMENT
    name = columns.pop("name", slug.capitalize())
    rank = columns.pop("rank", Tier.values.index(tier or known))
    environment, _ = Environment.objects.get_or_create(
        slug=slug, defaults={"tier": tier or known, "name": name, "rank": rank, **columns}
    )
    for target in targets:
        environment.targets.get_or_create(name=target)
    return environment


def make_digest(seed: object = "") -> str:
    """A digest of its own for each seed, or for each call without one."""
    return hash_canonically(str(seed) or f"digest {next(_numbers)}")


def make_artifact(service: Service, name: str = "", **columns: Any) -> Artifact:
    columns.setdefault("first_seen_at", NOW - 48 * HOUR)
    digest = columns.pop("digest", "") or make_digest()
    return Artifact.objects.create(
        service=service, name=name or f"meridian/{service.slug}", digest=digest, **columns
    )


def make_release(
    service: Service, version: str = "", *, artifacts: Iterable[Artifact] = (), **columns: Any
) -> Release:
    """A release of the given artifacts, or of one new artifact."""
    artifacts = list(artifacts) or [make_artifact(service, commit=columns.get("commit", ""))]
    columns.setdefault("created_at", NOW - 48 * HOUR)
    digests = sorted(artifact.digest for artifact in artifacts)
    release = Release.objects.create(
        service=service,
        version=version or f"1.0.{next(_numbers)}",
        digests_sha256=hash_canonically(digests).removeprefix("sha256:"),
        **columns,
    )
    release.artifacts.set(artifacts)
    return release


def make_build(service: Service, *artifacts: Artifact, **columns: Any) -> Build:
    columns.setdefault("external_id", str(next(_numbers)))
    columns.setdefault("received_at", NOW - 48 * HOUR)
    columns.setdefault("result", RunResult.SUCCEEDED)
    columns.setdefault("source", "github")
    build = Build.objects.create(service=service, repository=service.repository, **columns)
    for artifact in artifacts:
        BuildArtifact.objects.create(build=build, artifact=artifact, is_stated=True)
    return build


def make_commits(repository: str, *shas: str, parent: str = "", by: str = "") -> list[Commit]:
    """A line of commits, oldest first, the first one a child of `parent`."""
    made = []
    for n, sha in enumerate(shas):
        made.append(
            Commit.objects.create(
                repository=repository,
                sha=sha,
                parent_sha=parent,
                author_name=by or "somebody",
                author_address=f"{by or 'somebody'}@example.com",
                message=f"Change {sha}",
                committed_at=NOW - 72 * HOUR + n * HOUR,
            )
        )
        parent = sha
    return made


def make_deployment(release: Release, environment: Environment, **columns: Any) -> Deployment:
    """A deployment of the release that succeeded a day ago, unless the columns say otherwise."""
    first = release.artifacts.order_by("digest").first()
    columns.setdefault("finished_at", NOW - 24 * HOUR)
    columns.setdefault("received_at", columns["finished_at"] or NOW)
    columns.setdefault("external_id", str(next(_numbers)))
    columns.setdefault("result", RunResult.SUCCEEDED)
    columns.setdefault("source", "argocd")
    columns.setdefault("digest", first.digest if first else "")
    return Deployment.objects.create(
        service=release.service,
        environment=environment,
        release=release,
        artifact=first,
        version=release.version,
        commit=release.commit,
        found=Deployment.Found.STATED,
        **columns,
    )


def make_observation(
    service: Service, environment: Environment, digest: str, **columns: Any
) -> Observation:
    columns.setdefault("seen_at", NOW - HOUR)
    columns.setdefault("received_at", columns["seen_at"])
    artifact = Artifact.objects.filter(digest=digest).first()
    return Observation.objects.create(
        service=service, environment=environment, digest=digest, artifact=artifact, **columns
    )


TWO_STAGES = """
service: {service}
stages:
  - name: staging
    environment: staging
  - name: production
    environment: production
    after: [staging]
    approvals:
      - {{name: release managers, count: 2, from: ["role:release manager"]}}
"""


def make_pipeline(
    service: Service, text: str = TWO_STAGES, *, at: datetime = NOW - 1000 * HOUR
) -> PipelineVersion:
    """The next version of the service's pipeline; {service} in the text is filled in."""
    text = text.format(service=service.slug) if "{service}" in text else text
    pipeline, _ = Pipeline.objects.get_or_create(service=service)
    return PipelineVersion.objects.create(
        pipeline=pipeline,
        number=pipeline.versions.count() + 1,
        text=text,
        document=pipeline_document(read_pipeline(text)),
        applied_at=at,
    )


def make_promotion(release: Release, environment: Environment, **columns: Any) -> Promotion:
    """A promotion that waits, as a row and no more: to ask for one as a person does, call the action."""
    version = columns.pop("pipeline_version", None)
    if version is None:
        pipeline = Pipeline.objects.filter(service=release.service).first()
        version = (pipeline.current if pipeline else None) or make_pipeline(release.service)
    stage = version.form.stage_of(environment.slug)
    content = columns.pop("content", {"artifacts": list(release.digests), "to": environment.slug})
    columns.setdefault("asked_at", NOW - 2 * HOUR)
    columns.setdefault("state", State.WAITING.value)
    columns.setdefault("expires_at", columns["asked_at"] + timedelta(days=14))
    columns.setdefault("content_hash", hash_canonically(content))
    columns.setdefault("stage", stage.name if stage else environment.slug)
    return Promotion.objects.create(
        release=release,
        service=release.service,
        environment=environment,
        pipeline_version=version,
        content=content,
        **columns,
    )


def make_step_run(promotion: Promotion, kind: str = "pause", **columns: Any) -> StepRun:
    """The next step of the promotion, not begun."""
    columns.setdefault("position", promotion.step_runs.values("position").distinct().count())
    columns.setdefault("effect_key", f"throughline-p{promotion.pk}-s{columns['position']}")
    return StepRun.objects.create(promotion=promotion, kind=kind, **columns)
