"""The whole way, with every part real: told of a build, through three stages, to figures that change."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from metrics.facts import load_record
from metrics.measures.periods import Period
from metrics.measures.registry import compute_all
from promotion.integrity.oci.building import build_image
from promotion.integrity.oci.registry import OciRegistry
from promotion.models import Approval, Deployment, Promotion, Release, Role, StepRun, User
from promotion.rules.states import State
from tests.factories import (
    commit_of,
    make_connection,
    make_deployment,
    make_environments,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_release_manager,
    make_service,
    make_token,
)
from tests.parts.git_server import make_bare_repository, read_branch, run_git, serve_git
from tests.parts.processes import Processes, make_embedded, wait_until
from tests.parts.registry import RunningRegistry, run_registry
from tests.parts.tellers import CdEvents, GitHub, Teller, Told, introduce, post

pytestmark = [
    pytest.mark.needs_registry,
    pytest.mark.needs_git,
    pytest.mark.needs_chromium,
    pytest.mark.needs_redis,
]
STAGES = ("dev", "staging", "production")
VERSION, OLD_VERSION = "4.18.0", "4.17.2"
PIPELINE = """
service: shipment-api
repositories:
  build: "registry-main/meridian/{name}"
  staging: "registry-main/staging/{name}"
  production: "registry-prod/{name}"
stages:
  - name: dev
    environment: dev
    auto: true
    steps:
      - git-commit: {repository: gitops, path: apps/dev.yaml, set: {image.digest: "{digest}"}}
      - wait-for-deployment: {timeout: 5m}
  - name: staging
    environment: staging
    after: [dev]
    auto: true
    gates: [order, checksum, lock]
    steps:
      - oci-copy: {to: staging}
      - git-commit: {repository: gitops, path: apps/staging.yaml, set: {image.digest: "{digest}"}}
      - wait-for-deployment: {timeout: 5m}
  - name: production
    environment: production
    after: [staging]
    require_build: true
    ask: [{name: reason, required: true}]
    gates: [order, checksum, lock]
    approvals: [{name: release managers, count: 1, from: ["role:release manager"]}]
    steps:
      - oci-copy: {to: production}
      - git-commit: {repository: gitops, path: apps/production.yaml, set: {image.digest: "{digest}"}}
      - wait-for-deployment: {timeout: 5m}
"""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside, what is told, and who is there."""

    web: str
    told: Told
    main: RunningRegistry
    prod: RunningRegistry
    bare: Path
    asker: User
    manager: User


@pytest.fixture
def world(transactional_db: None, tmp_path: Path) -> Iterator[World]:
    """A service that went into production by hand before, and the product's processes, running."""
    with ExitStack() as stack:
        main = stack.enter_context(run_registry(tmp_path / "main"))
        prod = stack.enter_context(run_registry(tmp_path / "prod"))
        files = {f"apps/{stage}.yaml": "image:\n  digest: none\n" for stage in STAGES}
        bare = make_bare_repository(tmp_path / "git", files)
        run_git(bare, "config", "http.receivepack", "true")
        git = stack.enter_context(serve_git(bare.parent))
        make_connection("registry-main", "oci-registry", main.base_url)
        make_connection("registry-prod", "oci-registry", prod.base_url)
        make_connection("gitops", "git", f"{git}/{bare.name}")
        now = timezone.now().replace(microsecond=0)
        live_through_the_past(now)
        told = Told(
            repository="meridian/shipment-api",
            name="shipment-api",
            commit=commit_of("journey"),
            digest=build(main),
            tag=f"v{VERSION}",
            built_at=now - timedelta(hours=2),
        )
        people = make_person("tomasz", Role.MEMBER), make_release_manager("ines")
        broker = make_embedded(tmp_path)
        stack.callback(broker.kill)
        broker.start()
        processes = Processes(broker, tmp_path)
        stack.callback(processes.kill_all)
        processes.begin_worker("--concurrency", "2")
        processes.start_scheduler()
        yield World(processes.start_web(), told, main, prod, bare, *people)
        assert processes.database_complaints() == []


def live_through_the_past(now: datetime) -> None:
    """4.17.2: staging only at the second attempt, production by hand, ten hours after its build."""
    service, places = make_service(), make_environments()
    make_pipeline(service, PIPELINE, at=now - timedelta(days=9))
    built_at = now - timedelta(days=5)
    old = make_release(service, OLD_VERSION, at=built_at)
    for hours, stage, state in (
        (1, "dev", State.SUCCEEDED),
        (2, "staging", State.ERRORED),
        (3, "staging", State.SUCCEEDED),
    ):
        at = built_at + timedelta(hours=hours)
        promotion = make_promotion(
            old,
            places[stage],
            state=state,
            at=at,
            started_at=at,
            ended_at=at + timedelta(minutes=30),
            attempt=2 if hours == 3 else 1,
            origin=Promotion.Origin.AUTOMATIC,
        )
        if state is State.SUCCEEDED:
            make_deployment(old, places[stage], at=at + timedelta(minutes=20), promotion=promotion)
    by_hand = built_at + timedelta(hours=10)
    make_deployment(old, places["production"], at=by_hand, mechanism="manual")


def build(registry: RunningRegistry) -> str:
    """What CI does: an image for two platforms, pushed."""
    opened = OciRegistry(registry.base_url)
    try:
        return build_image(
            opened.open_repository("meridian/shipment-api"),
            files={"app": b"shipment" * 20_000},
            platforms=("linux/amd64", "linux/arm64"),
            tag=f"v{VERSION}",
        )
    finally:
        opened.close()


def deliver(world: World, teller: Teller, *deliveries: Any) -> None:
    for delivery in deliveries:
        answer = post(teller, delivery, world.web)
        assert (answer.status_code, answer.json()["duplicate"]) == (202, False), answer.text


def promotion_into(stage: str) -> Promotion | None:
    return Promotion.objects.filter(release__version=VERSION, environment__slug=stage).first()


def run_stage(world: World, teller: Teller, stage: str) -> Promotion:
    """Its steps up to waiting happen by themselves; then the runtime says what runs."""

    def waits_for_the_runtime() -> bool:
        promotion = promotion_into(stage)
        steps = StepRun.objects.filter(promotion=promotion).in_order()
        return promotion is not None and [step.state for step in steps][-1:] == ["waiting"]

    wait_until(waits_for_the_runtime, f"the promotion into {stage} waits for the runtime")
    promotion = promotion_into(stage)
    # The runtime tells whole seconds.
    wait_until(lambda: _now() > promotion.started_at, "a second begins")
    deliver(world, teller, *teller.tell_deployment(world.told, stage, _now()))
    wait_until(lambda: not promotion_into(stage).is_open, f"the promotion into {stage} ends")
    ended = promotion_into(stage)
    assert ended.state == State.SUCCEEDED, ended.reason
    return ended


def _now() -> datetime:
    return timezone.now().replace(microsecond=0)


def ask_for_production(world: World) -> Promotion:
    """The first person asks over the API."""
    _, token = make_token("promote", "read", user=world.asker)
    wish = {
        "service": "shipment-api",
        "release": VERSION,
        "environment": "production",
        "fields": {"reason": "Pallet-level tracking"},
    }
    answer = httpx.post(
        f"{world.web}/api/v1/promotions",
        json=wish,
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    )
    assert answer.status_code == 201, answer.text
    wait_until(
        lambda: list(promotion_into("production").waits_for.all()) == [world.manager],
        "it waits for the other person",
    )
    return promotion_into("production")


def approve_in_the_browser(world: World, promotion: Promotion) -> None:
    """The second person reads the page and presses the button."""
    client = Client()
    client.force_login(world.manager)
    session = client.cookies["sessionid"].value
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        context = browser.new_context(reduced_motion="reduce")
        context.add_cookies([{"name": "sessionid", "value": session, "url": world.web}])
        page = context.new_page()
        page.goto(f"{world.web}/promotions/{promotion.pk}/")
        page.get_by_label("Comment").fill("Checked in staging.")
        page.get_by_role("button", name="Approve and start…").locator("visible=true").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text(world.told.digest.removeprefix("sha256:")[:16])
        dialog.get_by_role("button", name="Approve and start").click()
        expect(page.locator("#toasts")).to_contain_text("Approval recorded.")
        browser.close()


def figures(at: datetime) -> dict[str, tuple[float | None, int]]:
    """(numerator, n) of each key measure; of the spans, whose median takes more, their sum in hours."""
    today = timezone.now().date()
    period = Period(today - timedelta(days=30), today + timedelta(days=1))
    found = compute_all(load_record(at), period, as_of=at)
    spans = found.pop("build_to_production")
    shares = {name: (one.numerator, one.n) for name, one in found.items()}
    return {**shares, spans.measure: (sum(row.hours for row in spans.rows), spans.n)}


@pytest.mark.parametrize("teller", [GitHub(), CdEvents()], ids=["github", "cdevents"])
def test_a_build_comes_into_production_and_the_figures_tell_it(
    world: World, teller: Teller
) -> None:
    # By then every watch window is over.
    later = timezone.now() + timedelta(days=3)
    assert figures(later) == {
        "automated_share": (0, 1),  # by hand
        "first_pass": (1, 2),  # dev; staging only at the second attempt
        "build_to_production": (10.0, 1),
        "traceability": (0, 1),  # nobody approved it
        "failures": (0, 1),
    }
    introduce(teller)
    deliver(world, teller, *teller.tell_build(world.told))
    run_stage(world, teller, "dev")
    run_stage(world, teller, "staging")
    promotion = ask_for_production(world)
    approve_in_the_browser(world, promotion)
    run_stage(world, teller, "production")
    check_release(world)
    check_registries(world)
    check_repository(world)
    deployment = check_deployment(world)
    hours = (deployment.finished_at - world.told.built_at).total_seconds() / 3600
    after = figures(later)
    assert after.pop("build_to_production") == (pytest.approx(10 + hours), 2)
    assert after == {
        "automated_share": (1, 2),
        "first_pass": (4, 5),
        "traceability": (1, 2),
        "failures": (0, 2),
    }
    check_measures_page(world)


def check_release(world: World) -> None:
    release = Release.objects.get(version=VERSION)
    assert (release.digests, release.commit) == ((world.told.digest,), world.told.commit)
    (artifact,) = release.artifacts.all()
    assert [link.finished_at for link in artifact.builds.all()] == [world.told.built_at]
    approval = Approval.objects.get()
    assert (approval.person, approval.comment) == (world.manager, "Checked in staging.")
    assert approval.content_hash == promotion_into("production").content_hash


def check_registries(world: World) -> None:
    """Both targets hold the very image, whole, under its version."""
    for running, name in (
        (world.main, "staging/shipment-api"),
        (world.prod, "shipment-api"),
    ):
        registry = OciRegistry(running.base_url)
        repository = registry.open_repository(name)
        assert repository.resolve(VERSION) == world.told.digest
        source = world.main.locate_blob(world.told.digest).read_bytes()
        assert running.locate_blob(world.told.digest).read_bytes() == source
        registry.close()


def check_repository(world: World) -> None:
    """One commit for each stage, each with its trailers."""
    form = "--format=%(trailers:key={},valueonly,separator=%x2C)"
    for stage in STAGES:
        assert world.told.digest in read_branch(world.bare, f"apps/{stage}.yaml")
        path = f"apps/{stage}.yaml"
        said = {
            key: run_git(world.bare, "log", "-1", form.format(key), "main", "--", path).strip()
            for key in ("Throughline-Promotion", "Throughline-Digest", "Throughline-Key")
        }
        promotion = promotion_into(stage)
        run = promotion.step_runs.get(kind="git-commit")
        assert said == {
            "Throughline-Promotion": promotion.number,
            "Throughline-Digest": world.told.digest,
            "Throughline-Key": run.effect_key,
        }
    assert run_git(world.bare, "rev-list", "--count", "main").strip() == "4"


def check_deployment(world: World) -> Deployment:
    deployment = Deployment.objects.get(
        environment__slug="production", release__version=VERSION, result="succeeded"
    )
    assert (deployment.digest, deployment.promotion) == (
        world.told.digest,
        promotion_into("production"),
    )
    return deployment


def check_measures_page(world: World) -> None:
    """The same over HTTP, as of now: half of the production deployments were automated."""
    _, token = make_token("read", user=world.asker)
    answer = httpx.get(
        f"{world.web}/api/v1/measures",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    shown = {one["name"]: one for one in answer.json()["measures"]}
    assert shown["automated_share"]["value"] == 0.5
