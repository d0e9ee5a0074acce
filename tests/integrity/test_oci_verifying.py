"""Reading every byte of an image and comparing it with its digest."""

from collections.abc import Callable
from pathlib import Path

import pytest

from promotion.integrity.oci.building import build_image
from promotion.integrity.oci.errors import ImageNotFoundError, RepositoryUnreachableError
from promotion.integrity.oci.layout import OciLayout
from promotion.integrity.oci.manifests import parse_manifest
from promotion.integrity.oci.registry import OciRegistry, RegistryRepository
from promotion.integrity.oci.verifying import verify_image
from tests.parts.registry import RunningRegistry, find_free_port

OpenRepository = Callable[[RunningRegistry], RegistryRepository]


@pytest.fixture
def layout(tmp_path: Path) -> OciLayout:
    return OciLayout(tmp_path / "layout")


def make_image(layout: OciLayout) -> tuple[str, str, str]:
    """Return the digests of an index, its first image and that image's layer."""
    digest = build_image(
        layout, files={"a": b"1"}, platforms=("linux/amd64", "linux/arm64"), tag="1.0"
    )
    child = parse_manifest(layout.read_manifest(digest).raw).children[0].digest
    return digest, child, parse_manifest(layout.read_manifest(child).raw).blobs[1].digest


def locate(layout: OciLayout, digest: str) -> Path:
    return layout.path / "blobs/sha256" / digest[7:]


def damage(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def test_an_untouched_image_is_intact_and_all_of_it_was_read(layout: OciLayout) -> None:
    digest, _, _ = make_image(layout)
    told: list[tuple[int, int]] = []
    verified = verify_image(layout, digest, lambda done, total: told.append((done, total)))
    assert verified.is_intact
    assert (verified.digest, verified.manifests, verified.blobs) == (digest, 3, 3)
    assert told[-1] == (verified.bytes, verified.bytes)


def test_a_damaged_layer_is_named_with_what_it_hashes_to(layout: OciLayout) -> None:
    digest, _, layer = make_image(layout)
    damage(locate(layout, layer))
    verified = verify_image(layout, digest)
    assert not verified.is_intact
    (mismatch,) = verified.mismatches
    assert mismatch.digest == layer
    assert mismatch.found.startswith("sha256:")
    assert mismatch.found != layer


def test_a_missing_layer_is_a_mismatch_that_found_nothing(layout: OciLayout) -> None:
    digest, _, layer = make_image(layout)
    locate(layout, layer).unlink()
    (mismatch,) = verify_image(layout, digest).mismatches
    assert (mismatch.digest, mismatch.found) == (layer, "")


def test_a_damaged_image_of_one_platform_is_named_and_the_rest_is_read(layout: OciLayout) -> None:
    digest, child, _ = make_image(layout)
    damage(locate(layout, child))
    verified = verify_image(layout, digest)
    assert [mismatch.digest for mismatch in verified.mismatches] == [child]
    assert (verified.manifests, verified.blobs) == (2, 2)


def test_a_damaged_index_is_a_mismatch_and_not_an_error(layout: OciLayout) -> None:
    digest, _, _ = make_image(layout)
    damage(locate(layout, digest))
    (mismatch,) = verify_image(layout, digest).mismatches
    assert mismatch.digest == digest


def test_a_blob_damaged_in_the_storage_of_a_registry_is_found(
    running_registry: RunningRegistry, open_repository: OpenRepository
) -> None:
    repository = open_repository(running_registry)
    digest = build_image(repository, files={"verified": b"in a registry"})
    child = parse_manifest(repository.read_manifest(digest).raw).children[0].digest
    layer = parse_manifest(repository.read_manifest(child).raw).blobs[1].digest
    assert verify_image(repository, digest).is_intact
    damage(running_registry.locate_blob(layer))
    assert [one.digest for one in verify_image(repository, digest).mismatches] == [layer]


def test_a_digest_that_is_not_there_is_an_error_and_not_a_mismatch(layout: OciLayout) -> None:
    make_image(layout)
    with pytest.raises(ImageNotFoundError):
        verify_image(layout, "sha256:" + "0" * 64)


def test_a_registry_out_of_reach_leaves_it_unknown() -> None:
    with (
        OciRegistry(f"http://127.0.0.1:{find_free_port()}") as registry,
        pytest.raises(RepositoryUnreachableError),
    ):
        verify_image(registry.open_repository("a"), "sha256:" + "0" * 64)
