"""The services, releases and people of a storm, and the outside systems their promotions act on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone

from promotion.models import Environment, Release, Role, Service, User
from tests.chaos.far_side import BadService
from tests.factories import (
    digest_of,
    make_artifact,
    make_connection,
    make_environment,
    make_person,
    make_pipeline,
    make_release,
    make_service,
)
from tests.parts.git_server import make_bare_repository, run_git, serve_git
from tests.parts.recording_server import run_recording_server

SECRET = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw=="
RELEASES = 10
# One in so many releases is refused by the far side for good.
BAD_EVERY = 9
ONCE = "{http: {connection: deployer, repeatable: false}}"
CALL = "{http: {connection: deployer}}"
COMMIT = '{git-commit: {repository: gitops, path: "apps/{service}.yaml", set: {image.digest: "{digest}"}}}'
VERIFIED = (
    "{wait-for-deployment: {timeout: 10m}}, {verify-http: {connection: deployer, good: 1 of 1}}"
)
APPROVED = 'approvals: [{name: release managers, count: 1, from: ["role:release manager"]}]'
# What the stage says besides its steps, and the steps.
KINDS = (
    ("queue: fifo", f"{CALL}, {{pause: {{for: 1s}}}}, {CALL}"),
    (f"queue: fifo\n    {APPROVED}", CALL),
    ("on_failure: rollback", f"{CALL}, {VERIFIED}"),
    (f"queue: fifo\n    {APPROVED}", f"{ONCE}, {CALL}"),
    ("queue: fifo", f"{CALL}, {COMMIT}"),
)
PIPELINE = """
service: {service}
stages:
  - name: dev
    environment: dev
    {more}
    steps: [{steps}]
"""


@dataclass(slots=True)
class World:
    """Everything in its place; nothing is asked for yet."""

    far_side: BadService
    bare: Path
    environment: Environment
    services: list[Service]
    releases: list[Release]
    asker: User
    manager: User

    def count_commits(self) -> dict[str, int]:
        """How many commits of the branch carry each key."""
        form = "--format=%(trailers:key=Throughline-Key,valueonly)"
        keys = run_git(self.bare, "log", form, "main").split()
        return {key: keys.count(key) for key in keys}


@contextmanager
def make_world(directory: Path, *, promotions: int, seed: int) -> Iterator[World]:
    """Serve the far sides until the block ends; as many releases as there are to be promotions."""
    count = -(-promotions // RELEASES)
    files = {f"apps/service-{n}.yaml": "image:\n  digest: none\n" for n in range(count)}
    bare = make_bare_repository(directory / "git", files)
    run_git(bare, "config", "http.receivepack", "true")
    far_side = BadService(seed)
    with ExitStack() as stack:
        git = stack.enter_context(serve_git(bare.parent))
        server = stack.enter_context(run_recording_server(far_side.answer))
        make_connection("gitops", "git", f"{git}/{bare.name}")
        make_connection("deployer", "http", server.base_url, secret=SECRET)
        services = [_make_service(n) for n in range(count)]
        yield World(
            far_side=far_side,
            bare=bare,
            environment=make_environment("dev"),
            services=services,
            releases=[_make_release(services[n % count], n // count) for n in range(promotions)],
            asker=make_person("tomasz", Role.MEMBER),
            manager=make_person("ines", Role.RELEASE_MANAGER),
        )


def _make_service(number: int) -> Service:
    service = make_service(f"service-{number}")
    more, steps = KINDS[number % len(KINDS)]
    text = PIPELINE.replace("{more}", more).replace("{steps}", steps)
    make_pipeline(service, text.replace("{service}", service.slug))
    return service


def _make_release(service: Service, number: int) -> Release:
    is_bad = (service.pk + number) % BAD_EVERY == BAD_EVERY - 1
    version = f"1.{number}.0{'-bad' if is_bad else ''}"
    artifact = make_artifact(service, version, digest=digest_of(f"{service.slug} {version}"))
    return make_release(service, version, artifacts=[artifact], at=timezone.now())
