"""The step oci-copy between real layouts and a real registry, and where it finds its source."""

from pathlib import Path

import pytest

from promotion.exceptions import InputError
from promotion.integrity.connecting import Repositories
from promotion.integrity.digests import DigestMismatchError
from promotion.integrity.oci.building import attach_referrer, build_image
from promotion.integrity.oci.errors import ImageNotFoundError
from promotion.integrity.oci.layout import OciLayoutStore
from promotion.models import Promotion
from promotion.rules.states import State
from promotion.steps.base import Outcome
from promotion.steps.known import STEPS
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
from tests.steps.contexts import Reports, make_context

pytestmark = pytest.mark.django_db

STEP = STEPS["oci-copy"]
PIPELINE = """
service: {service}
repositories:
  build: "layouts/build/{{name}}"
  staging: "layouts/staging/{{name}}"
  production: "layouts/production/{{name}}"
stages:
  - {{name: dev, environment: dev}}
  - name: staging
    environment: staging
    after: [dev]
    steps: [{{oci-copy: {{to: staging}}}}]
  - name: production
    environment: production
    after: [staging]
    steps: [{{oci-copy: {{to: production}}}}]
"""


@pytest.fixture
def store(tmp_path: Path) -> OciLayoutStore:
    make_connection("layouts", "oci-layout", str(tmp_path / "images"))
    return OciLayoutStore(tmp_path / "images")


def promote(
    digest: str,
    to: str = "staging",
    *,
    name: str = "shipment-api",
    version: str = "4.18.0",
    text: str = PIPELINE,
) -> Promotion:
    service = make_service()
    make_pipeline(service, text.format(service=service.slug))
    artifact = make_artifact(service, version, name=name, digest=digest)
    release = make_release(service, version, artifacts=[artifact])
    return make_promotion(release, make_environments()[to], state=State.RUNNING, started_at=NOW)


def test_an_image_arrives_under_its_digest_with_its_referrers_and_the_version_as_tag(
    store: OciLayoutStore,
) -> None:
    source = store.open_repository("build/shipment-api")
    digest = build_image(
        source, files={"app": b"program" * 1000}, platforms=("linux/amd64", "linux/arm64")
    )
    signature = attach_referrer(
        source, digest, artifact_type="application/test", content=b"signed", media_type="text/plain"
    )
    reports = Reports()
    result = STEP.start(
        make_context(promote(digest), "oci-copy", {"to": "staging"}, report=reports)
    )
    assert result.outcome is Outcome.SUCCEEDED
    target = store.open_repository("staging/shipment-api")
    assert target.resolve("4.18.0") == digest
    assert [one.digest for one in target.list_referrers(digest)] == [signature]
    (image,) = result.output["images"]
    assert (image["digest"], image["from"], image["to"]) == (
        digest,
        "layouts/build/shipment-api",
        "layouts/staging/shipment-api",
    )
    assert image["bytes_copied"] > 0
    assert "same digest" in result.message
    assert reports.said[-1][0] == 1.0
    assert "MB" in reports.said[-1][1]


def test_a_repeat_copies_nothing_again(store: OciLayoutStore) -> None:
    digest = build_image(store.open_repository("build/shipment-api"), files={"app": b"x"})
    promotion = promote(digest)
    STEP.start(make_context(promotion, "oci-copy", {"to": "staging"}))
    (image,) = STEP.start(make_context(promotion, "oci-copy", {"to": "staging"})).output["images"]
    assert image["bytes_copied"] == image["blobs_copied"] == 0
    assert image["blobs_present"] > 0


def test_it_reads_where_the_upstream_stage_copied_to(store: OciLayoutStore) -> None:
    for place in ("build", "staging"):
        digest = build_image(store.open_repository(f"{place}/shipment-api"), files={"app": b"x"})
    result = STEP.start(
        make_context(promote(digest, "production"), "oci-copy", {"to": "production"})
    )
    assert result.output["images"][0]["from"] == "layouts/staging/shipment-api"


def test_the_source_can_be_named(store: OciLayoutStore) -> None:
    for place in ("build", "staging"):
        digest = build_image(store.open_repository(f"{place}/shipment-api"), files={"app": b"x"})
    inputs = {"to": "production", "from": "build"}
    result = STEP.start(make_context(promote(digest, "production"), "oci-copy", inputs))
    assert result.output["images"][0]["from"] == "layouts/build/shipment-api"


def test_without_a_place_of_the_pipeline_it_is_read_where_it_was_first_seen(
    store: OciLayoutStore,
) -> None:
    digest = build_image(store.open_repository("meridian/shipment-api"), files={"app": b"x"})
    result = STEP.start(make_context(promote(digest), "oci-copy", {"to": "staging"}))
    assert result.output["images"][0]["from"] == "layouts/meridian/shipment-api"


def test_an_image_that_is_nowhere_is_an_error_that_names_the_places(store: OciLayoutStore) -> None:
    digest = build_image(store.open_repository("elsewhere/x"), files={"app": b"x"})
    with pytest.raises(ImageNotFoundError) as caught:
        STEP.start(make_context(promote(digest), "oci-copy", {"to": "staging"}))
    assert "layouts/build/shipment-api" in caught.value.sentence


def test_tags_can_be_named_and_a_plus_sign_becomes_an_underscore(store: OciLayoutStore) -> None:
    digest = build_image(store.open_repository("build/shipment-api"), files={"app": b"x"})
    promotion = promote(digest, version="4.18.0+7")
    STEP.start(make_context(promotion, "oci-copy", {"to": "staging"}))
    STEP.start(make_context(promotion, "oci-copy", {"to": "production", "tags": ["live", "4"]}))
    assert store.open_repository("staging/shipment-api").list_tags() == ("4.18.0_7",)
    assert store.open_repository("production/shipment-api").list_tags() == ("4", "live")


def test_a_stop_asked_for_sets_no_tag_and_leaves_the_end_to_the_next_look(
    store: OciLayoutStore,
) -> None:
    digest = build_image(store.open_repository("build/shipment-api"), files={"app": b"x"})
    context = make_context(promote(digest), "oci-copy", {"to": "staging"}, should_stop=lambda: True)
    assert STEP.start(context).outcome is Outcome.WAITING
    assert store.open_repository("staging/shipment-api").list_tags() == ()


def test_a_damaged_source_is_never_tagged(store: OciLayoutStore) -> None:
    source = store.open_repository("build/shipment-api")
    digest = build_image(source, files={"app": b"x" * 5000})
    largest = max((source.path / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1] + b"!")
    with pytest.raises(DigestMismatchError) as caught:
        STEP.start(make_context(promote(digest), "oci-copy", {"to": "staging"}))
    assert not caught.value.retryable
    assert store.open_repository("staging/shipment-api").list_tags() == ()


@pytest.mark.needs_registry
def test_it_copies_from_a_layout_to_a_registry(
    store: OciLayoutStore, tmp_path: Path, settings
) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    digest = build_image(store.open_repository("build/shipment-api"), files={"app": b"x" * 1000})
    text = PIPELINE.replace("layouts/staging", "registry/staging")
    with run_registry(tmp_path / "registry") as running:
        make_connection("registry", "oci-registry", running.base_url)
        result = STEP.start(make_context(promote(digest, text=text), "oci-copy", {"to": "staging"}))
        assert result.outcome is Outcome.SUCCEEDED
        assert running.locate_blob(digest).is_file()


def test_an_escape_from_the_connections_directory_is_refused(
    store: OciLayoutStore, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "images").mkdir(exist_ok=True)
    (tmp_path / "images" / "link").symlink_to(tmp_path / "outside")
    for place in ("layouts/../outside", "layouts/link", "layouts//etc", "layouts/", "nothing/x"):
        with pytest.raises(InputError), Repositories() as repositories:
            repositories.open(place)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "to"),
        ({"to": 3}, "to"),
        ({"to": "a", "form": "b"}, "form"),
        ({"to": "a", "tags": "x"}, "tags"),
        ({"to": "a", "tags": ["a b"]}, "tags"),
    ],
)
def test_bad_settings_are_named(settings: dict, key: str) -> None:
    assert key in [name for name, _ in STEP.problems_in(settings)]


def test_good_settings_have_no_problems() -> None:
    assert (
        list(STEP.problems_in({"to": "production", "from": "staging", "tags": ["{version}"]})) == []
    )
    assert STEP.repeat_is_safe({"to": "production"})
    assert STEP.describe({"to": "production"}) == "Images to production"
