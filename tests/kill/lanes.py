"""A service for each kind of step, the outside systems they act on, and what happened there."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils import timezone

from promotion.actions.advance import advance
from promotion.actions.promote import Request, ask_for_promotion
from promotion.integrity.oci.building import build_image
from promotion.integrity.oci.registry import OciRegistry
from promotion.models import Promotion, StepRun
from promotion.rules.states import State
from tests.factories import (
    digest_of,
    make_artifact,
    make_connection,
    make_environment,
    make_pipeline,
    make_release,
    make_service,
)
from tests.parts.far_sides import CountingService, Probe, is_blob_upload, is_tag, run_gate
from tests.parts.git_server import make_bare_repository, run_git, serve_git
from tests.parts.moments import Bar, Moments
from tests.parts.recording_server import run_recording_server
from tests.parts.registry import RunningRegistry, run_registry

VERSION = "4.18.0"
SECRET = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw=="
PIPELINE = """
service: {service}
repositories: {{build: "source/{{name}}", dev: "target/{{name}}"}}
stages:
  - name: dev
    environment: dev
    steps: [{steps}]
"""
STEPS = {
    "oci-copy": "{oci-copy: {to: dev, from: build}}",
    "git-commit": '{git-commit: {repository: gitops, path: "apps/{service}.yaml", set: {image.digest: "{digest}"}}}',
    "http": "{http: {connection: deployer}}",
    "wait-for-deployment": "{wait-for-deployment: {timeout: 5m}}",
    "verify-http": "{verify-http: {connection: prober, good: 1 of 1}}",
    "pause": "{pause: {for: 3s}}",
    "http-once": "{http: {connection: deployer, repeatable: false}}",
}
KINDS = ("oci-copy", "git-commit", "http", "wait-for-deployment", "verify-http", "pause")


@dataclass(slots=True)
class FarSides:
    """What the steps act on."""

    service: CountingService
    probe: Probe
    pushes: Moments
    bare: Path
    source: RunningRegistry
    target: RunningRegistry
    blobs: Moments
    tags: Moments
    digests: dict[str, str] = field(default_factory=dict)

    def bars(self, moment: str) -> dict[str, Bar]:
        """For each kind of step that can be held: where, during (not done yet) or after (done, not answered)."""
        after = moment == "after"
        by_moments = {
            "oci-copy": self.tags if after else self.blobs,
            "git-commit": self.pushes,
            "http": self.service.moments,
            "verify-http": self.probe.moments,
        }
        return {
            kind: moments.before_answering if after else moments.before_doing
            for kind, moments in by_moments.items()
        }

    def open_all(self) -> None:
        """Hold nobody any more."""
        for moments in (
            self.service.moments,
            self.probe.moments,
            self.pushes,
            self.blobs,
            self.tags,
        ):
            moments.open_all()

    def count_commits(self, key: str) -> int:
        """How many commits of the branch have the key as a trailer."""
        form = "--format=%(trailers:key=Throughline-Key,valueonly)"
        return run_git(self.bare, "log", form, "main").split().count(key)


@contextmanager
def run_far_sides(directory: Path) -> Iterator[FarSides]:
    """Serve all of them until the block ends."""
    with ExitStack() as stack:
        source = stack.enter_context(run_registry(directory / "source"))
        target = stack.enter_context(run_registry(directory / "target"))
        files = {f"apps/{_slug(name)}.yaml": "image:\n  digest: none\n" for name in STEPS}
        bare = make_bare_repository(directory / "git", files)
        run_git(bare, "config", "http.receivepack", "true")
        sides = FarSides(
            CountingService(), Probe(), Moments(), bare, source, target, Moments(), Moments()
        )
        # Whoever is still held when a test fails is let go, or the servers would wait for it.
        git = stack.enter_context(serve_git(bare.parent, pushes=sides.pushes))
        blobs = stack.enter_context(
            run_gate(target.base_url, holds=is_blob_upload, moments=sides.blobs)
        )
        gate = stack.enter_context(run_gate(blobs.base_url, holds=is_tag, moments=sides.tags))
        deployer = stack.enter_context(run_recording_server(sides.service.answer))
        prober = stack.enter_context(run_recording_server(sides.probe.answer))
        stack.callback(sides.open_all)
        make_connection("source", "oci-registry", source.base_url)
        make_connection("target", "oci-registry", gate.base_url)
        make_connection("gitops", "git", f"{git}/{bare.name}")
        make_connection("deployer", "http", deployer.base_url, secret=SECRET)
        make_connection("prober", "http", prober.base_url)
        yield sides


def start_promotion(sides: FarSides, *kinds: str, name: str = "") -> Promotion:
    """A running promotion of a service of its own; nobody was told of it but a sweep that came first."""
    service = make_service(_slug(name or kinds[0]))
    steps = ", ".join(STEPS[kind] for kind in kinds).replace("{service}", service.slug)
    make_pipeline(service, PIPELINE.format(service=service.slug, steps=steps))
    digest = _build(sides, service.slug) if "oci-copy" in kinds else digest_of(service.slug)
    sides.digests[service.slug] = digest
    artifact = make_artifact(service, VERSION, digest=digest)
    release = make_release(service, VERSION, artifacts=[artifact], at=timezone.now())
    request = Request(release=release, environment=make_environment("dev"))
    promotion = ask_for_promotion(request, at=timezone.now()).promotion
    advance(promotion.pk, at=timezone.now())
    promotion.refresh_from_db()
    assert promotion.state == State.RUNNING
    return promotion


def runs_of(promotion: Promotion) -> list[StepRun]:
    """Its steps as they are now."""
    return list(StepRun.objects.filter(promotion=promotion).in_order())


def is_at(promotion: Promotion, state: str, position: int = 0) -> bool:
    """Is the newest attempt of the step in that state?"""
    return [run.state for run in runs_of(promotion) if run.position == position][-1:] == [state]


def ended_as(promotion: Promotion) -> str:
    """Its state, empty while it is open."""
    promotion.refresh_from_db()
    return "" if promotion.is_open else str(promotion.state)


def read_target(sides: FarSides, name: str, reference: str) -> Any:
    """The digest a tag of the target names, None where it names nothing."""
    registry = OciRegistry(sides.target.base_url)
    try:
        return registry.open_repository(name).resolve(reference)
    finally:
        registry.close()


def _slug(name: str) -> str:
    return f"{name}-service"


def _build(sides: FarSides, name: str) -> str:
    registry = OciRegistry(sides.source.base_url)
    try:
        return build_image(
            registry.open_repository(name),
            files={"app": name.encode() * 5000},
            platforms=("linux/amd64", "linux/arm64"),
            tag=VERSION,
        )
    finally:
        registry.close()
