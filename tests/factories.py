"""Rows for tests: each function makes one noun with what it needs, and takes what the test is about."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group

from promotion.actions.ingest.releases import know_release
from promotion.models import (
    Artifact,
    ArtifactTag,
    Build,
    BuildArtifact,
    Commit,
    Connection,
    Deployment,
    Environment,
    Membership,
    Observation,
    Pipeline,
    PipelineVersion,
    Promotion,
    Release,
    Role,
    Sender,
    Service,
    StepRun,
    Target,
    Team,
    Tier,
    Token,
    User,
)
from promotion.rules.pipeline import pipeline_document, read_pipeline
from promotion.rules.states import State

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
TIERS = {"dev": Tier.DEVELOPMENT, "staging": Tier.STAGING, "production": Tier.PRODUCTION}
numbers = itertools.count(1)

PIPELINE = """
service: {service}
stages:
  - {{name: dev, environment: dev}}
  - {{name: staging, environment: staging, after: [dev]}}
  - name: production
    environment: production
    after: [staging]
    approvals:
      - {{name: release managers, count: 1, from: ["role:release manager"]}}
"""


def digest_of(text: str) -> str:
    """A well-formed digest that belongs to the text alone."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def commit_of(text: str) -> str:
    """A well-formed commit that belongs to the text alone."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def make_team(slug: str = "shipping", **fields: Any) -> Team:
    """The team of that slug."""
    return Team.objects.get_or_create(slug=slug, defaults={"name": slug.title(), **fields})[0]


def make_service(slug: str = "shipment-api", *, team: Team | None = None, **fields: Any) -> Service:
    """The service of that slug, with a repository of its own."""
    defaults = {"team": team or make_team(), "repository": f"meridian/{slug}", **fields}
    return Service.objects.get_or_create(slug=slug, defaults=defaults)[0]


def make_environment(
    slug: str = "production", *, targets: tuple[str, ...] = (), **fields: Any
) -> Environment:
    """The environment of that slug; its tier follows from well-known slugs."""
    rank = list(TIERS).index(slug) if slug in TIERS else 9
    defaults = {"name": slug.title(), "tier": TIERS.get(slug, Tier.TESTING), "rank": rank, **fields}
    environment = Environment.objects.get_or_create(slug=slug, defaults=defaults)[0]
    for target in targets:
        Target.objects.get_or_create(environment=environment, name=target)
    return environment


def make_environments() -> dict[str, Environment]:
    """dev, staging, production."""
    return {slug: make_environment(slug) for slug in TIERS}


def make_person(
    username: str = "ines",
    *roles: str,
    team: Team | None = None,
    groups: tuple[str, ...] = (),
    **fields: Any,
) -> User:
    """A person with the given roles, for all teams unless one is named."""
    fields = {"first_name": username.title(), "email": f"{username}@meridian.example", **fields}
    person = User.objects.filter(username=username).first() or User.objects.create_user(
        username, password="throughline", **fields
    )
    person.addresses.get_or_create(value=f"{username}@meridian.example")
    for role in roles:
        Membership.objects.get_or_create(user=person, team=team, role=role)
    for group in groups:
        person.groups.add(Group.objects.get_or_create(name=group)[0])
    return person


def make_release_manager(username: str = "ines", **fields: Any) -> User:
    """Somebody who may approve by the usual rule."""
    return make_person(username, Role.RELEASE_MANAGER, **fields)


def make_pipeline(
    service: Service, text: str = PIPELINE, *, at: datetime = NOW, by: User | None = None
) -> PipelineVersion:
    """Its next version, straight into the table (the action that checks it has tests of its own)."""
    text = text.format(service=service.slug) if "{service}" in text else text
    pipeline = Pipeline.objects.get_or_create(service=service)[0]
    number = (pipeline.current.number if pipeline.current else 0) + 1
    return PipelineVersion.objects.create(
        pipeline=pipeline,
        number=number,
        text=text,
        document=pipeline_document(read_pipeline(text)),
        applied_at=at,
        applied_by=by,
    )


def make_commit(
    service: Service,
    message: str = "Change something",
    *,
    parent: Commit | None = None,
    author: str = "tomasz",
    **fields: Any,
) -> Commit:
    """A commit of the service's repository."""
    sha = commit_of(f"{service.slug} {message} {next(numbers)}")
    return Commit.objects.create(
        repository=service.repository,
        sha=sha,
        parent_sha=parent.sha if parent else "",
        message=message,
        author_name=author.title(),
        author_address=f"{author}@meridian.example",
        committed_at=NOW,
        **fields,
    )


def make_build(
    service: Service, commit: str = "", *, finished_at: datetime = NOW, **fields: Any
) -> Build:
    """A build that succeeded."""
    return Build.objects.create(
        source="github",
        external_id=str(next(numbers)),
        repository=service.repository,
        service=service,
        commit=commit or commit_of(service.slug),
        result="succeeded",
        started_at=finished_at - timedelta(minutes=5),
        finished_at=finished_at,
        received_at=finished_at,
        **fields,
    )


def make_artifact(
    service: Service,
    version: str = "4.18.0",
    *,
    name: str = "",
    build: Build | None = None,
    **fields: Any,
) -> Artifact:
    """An artifact tagged with the version; of a build, where one is given."""
    name = name or service.slug
    digest = fields.pop("digest", digest_of(f"{service.slug} {name} {version}"))
    artifact, _ = Artifact.objects.get_or_create(
        digest=digest,
        defaults={
            "name": f"meridian/{name}",
            "service": service,
            "first_seen_at": NOW,
            "commit": build.commit if build else "",
            **fields,
        },
    )
    ArtifactTag.objects.get_or_create(
        artifact=artifact, repository=f"meridian/{name}", tag=version, defaults={"seen_at": NOW}
    )
    if build:
        BuildArtifact.objects.get_or_create(
            build=build, artifact=artifact, defaults={"is_stated": True}
        )
    return artifact


def make_release(
    service: Service,
    version: str = "4.18.0",
    *,
    artifacts: list[Artifact] | None = None,
    at: datetime = NOW,
    commit: str = "",
) -> Release:
    """A release of one artifact, built."""
    if artifacts is None:
        build = make_build(
            service, commit or commit_of(f"{service.slug} {version}"), finished_at=at
        )
        artifacts = [make_artifact(service, version, build=build)]
    release, _ = know_release(service, version, artifacts, at)
    return release


def make_promotion(
    release: Release,
    environment: Environment,
    *,
    state: State = State.WAITING,
    at: datetime = NOW,
    **fields: Any,
) -> Promotion:
    """A row in the state asked for, without the history that leads there; actions have tests of their own."""
    pipeline = Pipeline.objects.filter(service=release.service).first()
    version = (pipeline and pipeline.current) or make_pipeline(release.service)
    stage = version.form.stage_of(environment.slug)
    return Promotion.objects.create(
        release=release,
        service=release.service,
        environment=environment,
        stage=stage.name if stage else environment.slug,
        state=state.value,
        pipeline_version=version,
        asked_at=at,
        expires_at=at + timedelta(days=14),
        next_look_at=at,
        content_hash=digest_of("content"),
        **fields,
    )


def make_step_run(
    promotion: Promotion, kind: str, inputs: dict[str, Any] | None = None, **fields: Any
) -> StepRun:
    """A step that has not started."""
    position = fields.pop("position", promotion.step_runs.count())
    return StepRun.objects.create(
        promotion=promotion,
        position=position,
        kind=kind,
        inputs=inputs or {},
        effect_key=f"throughline-p{promotion.pk}-w0-s{position}",
        **fields,
    )


def make_deployment(
    release: Release,
    environment: Environment,
    *,
    at: datetime = NOW,
    result: str = "succeeded",
    **fields: Any,
) -> Deployment:
    """A deployment of the release's (first) artifact that ended at that time."""
    artifact = release.artifacts.order_by("digest").first()
    fields = {
        "started_at": at - timedelta(minutes=2),
        "finished_at": at,
        "version": release.version,
        **fields,
    }
    return Deployment.objects.create(
        source="cdevents",
        external_id=str(next(numbers)),
        service=release.service,
        environment=environment,
        digest=artifact.digest,
        artifact=artifact,
        release=release,
        found=Deployment.Found.STATED,
        result=result,
        received_at=at,
        commit=release.commit,
        **fields,
    )


def make_sender(
    slug: str = "github", kind: str = "github", *, secret: str = "whsec-test", **fields: Any
) -> Sender:
    """A sender that signs with the secret."""
    return Sender.objects.create(
        slug=slug, name=slug.title(), kind=kind, secret=secret, created_at=NOW, **fields
    )


def make_token(*scopes: str, user: User | None = None, **fields: Any) -> tuple[Token, str]:
    """A token and its text."""
    token, text = Token.make(name="test", user=user, scopes=list(scopes), created_at=NOW, **fields)
    token.save()
    return token, text


def make_connection(name: str, kind: str, address: str, **fields: Any) -> Connection:
    """A connection."""
    return Connection.objects.create(
        name=name, kind=kind, address=address, created_at=NOW, **fields
    )


def make_observation(
    service: Service, environment: Environment, digest: str, *, at: datetime = NOW, **fields: Any
) -> Observation:
    """The digest was seen running there at that time."""
    return Observation.objects.create(
        service=service,
        environment=environment,
        digest=digest,
        artifact=Artifact.objects.filter(digest=digest).first(),
        seen_at=at,
        received_at=at,
        **fields,
    )
