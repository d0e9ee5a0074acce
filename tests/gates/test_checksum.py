"""The checksum gate reads the bytes themselves, in real layouts and a real registry."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from promotion.exceptions import InputError
from promotion.gates.base import GateContext, GateOutcome, Verdict
from promotion.gates.known import GATES
from promotion.integrity.oci.building import build_image
from promotion.integrity.oci.layout import OciLayout, OciLayoutStore
from promotion.integrity.oci.registry import OciRegistry
from promotion.integrity.outgoing import AddressRefusedError
from promotion.models import Promotion, Release
from tests.factories import (
    NOW,
    make_artifact,
    make_connection,
    make_environments,
    make_pipeline,
    make_promotion,
    make_release,
    make_service,
)
from tests.parts.registry import run_registry

pytestmark = pytest.mark.django_db

GATE = GATES["checksum"]
PIPELINE = """
service: shipment-api
repositories: {build: "images/build/{name}", production: "images/production/{name}"}
stages:
  - {name: dev, environment: dev}
  - name: production
    environment: production
    after: [dev]
    steps: [{oci-copy: {from: build, to: production}}]
"""


@pytest.fixture
def store(tmp_path: Path) -> OciLayoutStore:
    make_connection("images", "oci-layout", str(tmp_path / "images"))
    return OciLayoutStore(tmp_path / "images")


@pytest.fixture
def source(store: OciLayoutStore) -> OciLayout:
    return store.open_repository("build/shipment-api")


def build(source: OciLayout) -> str:
    return build_image(
        source, files={"app": b"program" * 1000}, platforms=("linux/amd64", "linux/arm64")
    )


def promote(*digests: str, text: str = PIPELINE) -> Promotion:
    service = make_service()
    make_pipeline(service, text)
    artifacts = [make_artifact(service, digest=digest) for digest in digests]
    release: Release = make_release(service, artifacts=artifacts)
    return make_promotion(release, make_environments()["production"])


def ask(promotion: Promotion) -> GateOutcome:
    form = promotion.pipeline_version.form
    return GATE.evaluate(GateContext(promotion, form, form.stage(promotion.stage), {}, NOW))


def test_bytes_that_match_open_it_and_the_reason_counts_them(source: OciLayout) -> None:
    outcome = ask(promote(build(source)))
    assert outcome.verdict == Verdict.OPEN
    assert "in 1 repository (images/build/shipment-api)" in outcome.reason
    assert "3 blobs and 3 manifests" in outcome.reason
    assert outcome.fresh_for == timedelta(minutes=15)
    assert GATE.is_costly


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def remove(path: Path) -> None:
    path.unlink()


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [flip, remove, shorten])
def test_one_wrong_byte_in_any_blob_or_platform_closes_it(
    store: OciLayoutStore, damage: Callable[[Path], None]
) -> None:
    for number in range(6):  # an index, two manifests, two configs, one layer
        source = store.open_repository("build/shipment-api")
        digest = build(source)
        files = sorted((source.path / "blobs/sha256").iterdir())
        assert len(files) == 6
        if files[number].name == digest.removeprefix("sha256:") and damage is remove:
            continue  # without its index the image is not there at all
        promotion = Promotion.objects.first() or promote(digest)
        damage(files[number])
        assert ask(promotion).verdict == Verdict.CLOSED, files[number]
        for path in files:
            path.unlink(missing_ok=True)


def test_an_image_that_is_not_there_yet_is_waited_for(store: OciLayoutStore) -> None:
    digest = build(store.open_repository("elsewhere/x"))
    outcome = ask(promote(digest))
    assert outcome.verdict == Verdict.WAITING
    assert outcome.look_again_in == timedelta(seconds=30)
    assert "images/build/shipment-api" in outcome.reason


@pytest.mark.needs_registry
def test_a_registry_out_of_reach_is_waited_for_and_one_in_reach_is_read(
    source: OciLayout, tmp_path: Path, settings
) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    text = PIPELINE.replace("images/build", "registry/build")
    with run_registry(tmp_path / "registry") as running:
        make_connection("registry", "oci-registry", running.base_url)
        with OciRegistry(running.base_url) as registry:
            digest = build_image(
                registry.open_repository("build/shipment-api"), files={"app": b"x"}
            )
        promotion = promote(digest, text=text)
        assert ask(promotion).verdict == Verdict.OPEN
    outcome = ask(promotion)
    assert outcome.verdict == Verdict.WAITING
    assert "cannot be reached" in outcome.reason


def test_a_private_address_nobody_allowed_is_an_error_that_is_not_tried_again(
    source: OciLayout,
) -> None:
    make_connection("registry", "oci-registry", "http://127.0.0.1:5000")
    promotion = promote(build(source), text=PIPELINE.replace("images/build", "registry/build"))
    with pytest.raises(AddressRefusedError):
        ask(promotion)


def test_every_artifact_of_the_release_is_read(source: OciLayout) -> None:
    good = build(source)
    bad = build_image(source, files={"other": b"y" * 3000})
    largest = max(
        (source.path / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_mtime_ns
    )
    assert ask(promote(good, bad)).verdict == Verdict.OPEN
    flip(largest)
    assert ask(Promotion.objects.get()).verdict == Verdict.CLOSED


def test_without_any_place_to_look_it_is_an_error_that_says_what_to_name() -> None:
    text = "service: shipment-api\nstages:\n  - {name: production, environment: production}\n"
    with pytest.raises(InputError, match="Name repositories"):
        ask(promote("sha256:" + "a" * 64, text=text))


def test_a_release_without_artifacts_is_closed() -> None:
    promotion = promote("sha256:" + "a" * 64)
    promotion.release.artifacts.clear()
    assert ask(promotion).verdict == Verdict.CLOSED


def test_it_has_no_settings() -> None:
    assert list(GATE.problems_in({})) == []
    assert [key for key, _ in GATE.problems_in({"deep": True})] == ["deep"]
