"""Copying by digest between real layouts and real registries."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from promotion.integrity.digests import DigestMismatchError, compute_digest
from promotion.integrity.oci.building import attach_referrer, build_image, build_layer
from promotion.integrity.oci.copying import copy_image
from promotion.integrity.oci.errors import (
    CopyStoppedError,
    ImageNotFoundError,
    ImageTooLargeError,
)
from promotion.integrity.oci.layout import OciLayout
from promotion.integrity.oci.manifests import OCI_MANIFEST, parse_manifest
from promotion.integrity.oci.names import name_fallback_tag
from promotion.integrity.oci.registry import RegistryRepository
from promotion.integrity.oci.repository import Repository
from promotion.integrity.oci.verifying import verify_image
from tests.parts.registry import RunningRegistry

SKOPEO = shutil.which("skopeo") or "skopeo"
PLATFORMS = ("linux/amd64", "linux/arm64/v8")

OpenRepository = Callable[[RunningRegistry], RegistryRepository]


@pytest.fixture
def layout(tmp_path: Path) -> OciLayout:
    return OciLayout(tmp_path / "layout")


@pytest.fixture
def source(
    running_registry: RunningRegistry, open_repository: OpenRepository
) -> RegistryRepository:
    return open_repository(running_registry)


@pytest.fixture
def sibling(
    running_registry: RunningRegistry, open_repository: OpenRepository
) -> RegistryRepository:
    """Another repository in the registry of `source`."""
    return open_repository(running_registry)


@pytest.fixture
def target(
    other_running_registry: RunningRegistry, open_repository: OpenRepository
) -> RegistryRepository:
    """A repository in another registry."""
    return open_repository(other_running_registry)


def make_image(repository: Repository, mark: str, layers: int = 1) -> str:
    """Write an image no other test has, so that damage to it stays with the test."""
    return build_image(
        repository,
        layers=[build_layer({f"{mark}-{number}": mark.encode()}) for number in range(layers)],
        platforms=PLATFORMS,
        tag="1.0",
    )


def list_layers(repository: Repository, digest: str) -> list[str]:
    """Return the digests of the layers of an index's first image."""
    index = parse_manifest(repository.read_manifest(digest).raw)
    image = parse_manifest(repository.read_manifest(index.children[0].digest).raw)
    return [blob.digest for blob in image.blobs[1:]]


def damage(path: Path) -> None:
    """Change one byte of a file in place."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def push_raw(repository: Repository, form: dict[str, object], tag: str | None = None) -> str:
    """Write a manifest just as given."""
    raw = json.dumps(form).encode()
    return repository.write_manifest(raw, OCI_MANIFEST, tag or compute_digest(raw))


def push_legacy(repository: Repository, tag: str, *contents: bytes) -> str:
    """Write evidence the way cosign did before version 3: one layer for each signature."""
    descriptors = []
    for content in (b"{}", *contents):
        digest = compute_digest(content)
        repository.write_blob(digest, len(content), [content])
        descriptors.append({"mediaType": "a/b", "digest": digest, "size": len(content)})
    return push_raw(
        repository,
        {"schemaVersion": 2, "config": descriptors[0], "layers": descriptors[1:]},
        tag,
    )


def has_tag(repository: Repository, tag: str) -> bool:
    try:
        repository.resolve(tag)
    except ImageNotFoundError:
        return False
    return True


def test_an_index_keeps_its_digest_and_all_its_platforms(
    layout: OciLayout, target: RegistryRepository
) -> None:
    digest = make_image(layout, "platforms")
    result = copy_image(layout, target, digest, tags=["1.0", "latest"])
    assert result.digest == target.resolve("1.0") == target.resolve("latest") == digest
    assert (result.manifests, result.blobs_copied, result.tags) == (3, 3, ("1.0", "latest"))
    verified = verify_image(target, digest)
    assert verified.is_intact
    assert verified.bytes == result.bytes_copied


@pytest.mark.needs_skopeo
def test_another_tool_finds_the_same_digest_at_the_target(
    layout: OciLayout, target: RegistryRepository
) -> None:
    digest = make_image(layout, "another tool")
    copy_image(layout, target, digest, tags=["1.0"])
    told = subprocess.run(
        [SKOPEO, "inspect", "--raw", "--tls-verify=false", f"docker://{target.address}:1.0"],
        capture_output=True,
        check=True,
    )
    assert f"sha256:{hashlib.sha256(told.stdout).hexdigest()}" == digest


@pytest.mark.needs_skopeo
def test_an_image_another_tool_pushed_is_copied_unchanged(
    layout: OciLayout, source: RegistryRepository, target: RegistryRepository
) -> None:
    digest = make_image(layout, "pushed by another tool")
    subprocess.run(
        [
            *(SKOPEO, "copy", "--all", "--quiet", "--dest-tls-verify=false"),
            *(f"oci:{layout.path}:1.0", f"docker://{source.address}:1.0"),
        ],
        check=True,
    )
    assert copy_image(source, target, source.resolve("1.0"), tags=["1.0"]).digest == digest
    assert target.read_manifest("1.0").raw == layout.read_manifest(digest).raw


def test_a_round_trip_over_a_registry_leaves_every_byte_the_same(
    layout: OciLayout, source: RegistryRepository, tmp_path: Path
) -> None:
    digest = make_image(layout, "round trip")
    attach_referrer(layout, digest, artifact_type="a/b", content=b"x", media_type="text/plain")
    back = OciLayout(tmp_path / "back")
    copy_image(layout, source, digest, tags=["1.0"])
    copy_image(source, back, digest, tags=["1.0"])
    before, after = (
        {path.name: path.read_bytes() for path in (one.path / "blobs/sha256").iterdir()}
        for one in (layout, back)
    )
    assert before == after
    assert layout.list_tags() == back.list_tags()


def test_a_second_copy_moves_nothing(
    source: RegistryRepository, target: RegistryRepository
) -> None:
    digest = make_image(source, "twice")
    first = copy_image(source, target, digest, tags=["1.0"])
    second = copy_image(source, target, digest, tags=["1.0"])
    assert (first.blobs_copied, first.blobs_present) == (3, 0)
    assert (second.blobs_copied, second.blobs_present, second.bytes_copied) == (0, 3, 0)


def test_a_damaged_blob_at_the_source_leaves_no_tag_and_no_blob_at_the_target(
    source: RegistryRepository, target: RegistryRepository, running_registry: RunningRegistry
) -> None:
    digest = make_image(source, "damaged source")
    (layer,) = list_layers(source, digest)
    path = running_registry.locate_blob(layer)
    size = path.stat().st_size
    damage(path)
    with pytest.raises(DigestMismatchError, match="hashes to") as caught:
        copy_image(source, target, digest, tags=["1.0"])
    assert not caught.value.retryable
    assert caught.value.expected == layer
    assert not has_tag(target, "1.0")
    assert not target.has_blob(layer, size)
    with pytest.raises(ImageNotFoundError):
        target.read_manifest(digest)


def test_a_blob_cut_short_at_the_source_is_refused(
    layout: OciLayout, target: RegistryRepository
) -> None:
    digest = make_image(layout, "cut short")
    path = layout.path / "blobs/sha256" / list_layers(layout, digest)[0][7:]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DigestMismatchError, match="descriptor says"):
        copy_image(layout, target, digest, tags=["1.0"])
    assert not has_tag(target, "1.0")


@pytest.mark.parametrize("difference", [-1, 1])
def test_a_descriptor_with_a_wrong_size_is_refused(
    layout: OciLayout, target: RegistryRepository, difference: int
) -> None:
    content = f"size {difference}".encode()
    layout.write_blob(compute_digest(content), len(content), [content])
    described = {
        "mediaType": "a/b",
        "digest": compute_digest(content),
        "size": len(content) + difference,
    }
    digest = push_raw(layout, {"schemaVersion": 2, "config": described, "layers": []})
    with pytest.raises(DigestMismatchError, match="descriptor says"):
        copy_image(layout, target, digest, tags=["1.0"])
    assert not has_tag(target, "1.0")
    assert not target.has_blob(compute_digest(content), len(content))


def test_inside_one_registry_blobs_are_mounted_and_not_moved(
    source: RegistryRepository, sibling: RegistryRepository
) -> None:
    digest = make_image(source, "mounted")
    result = copy_image(source, sibling, digest, tags=["1.0"])
    assert (result.blobs_mounted, result.blobs_copied, result.bytes_copied) == (3, 0, 0)
    assert sibling.resolve("1.0") == digest


def test_a_mounted_blob_that_was_damaged_in_place_is_found_every_time(
    source: RegistryRepository, sibling: RegistryRepository, running_registry: RunningRegistry
) -> None:
    digest = make_image(source, "damaged in place")
    (layer,) = list_layers(source, digest)
    damage(running_registry.locate_blob(layer))
    # The second time the blob is already mounted, and its size is right.
    for _ in range(2):
        with pytest.raises(DigestMismatchError, match="hashes to"):
            copy_image(source, sibling, digest, tags=["1.0"])
        assert not has_tag(sibling, "1.0")


def test_a_damaged_blob_in_a_layout_is_replaced_by_the_right_one(
    source: RegistryRepository, layout: OciLayout
) -> None:
    digest = make_image(source, "replaced")
    copy_image(source, layout, digest, tags=["1.0"])
    damage(layout.path / "blobs/sha256" / list_layers(source, digest)[0][7:])
    result = copy_image(source, layout, digest, tags=["1.0"])
    assert (result.blobs_copied, result.blobs_present) == (1, 2)
    assert verify_image(layout, digest).is_intact


def test_a_copy_that_broke_off_goes_on_where_it_was(
    layout: OciLayout, target: RegistryRepository, tmp_path: Path
) -> None:
    digest = make_image(layout, "broke off", layers=12)
    # Equal sizes are taken in the order of their digests, so the last is reached last.
    last = max(list_layers(layout, digest))
    path = layout.path / "blobs/sha256" / last[7:]
    path.rename(tmp_path / "aside")
    with pytest.raises(ImageNotFoundError):
        copy_image(layout, target, digest, tags=["1.0"])
    assert not has_tag(target, "1.0")
    (tmp_path / "aside").rename(path)
    result = copy_image(layout, target, digest, tags=["1.0"])
    assert result.blobs_present > 0
    assert result.blobs_present + result.blobs_copied == 14
    assert target.resolve("1.0") == digest


def test_a_copy_stops_when_asked_and_sets_no_tag(
    layout: OciLayout, target: RegistryRepository
) -> None:
    digest = make_image(layout, "stopped", layers=40)
    told: list[tuple[int, int]] = []
    with pytest.raises(CopyStoppedError, match="stopped as asked"):
        copy_image(
            layout,
            target,
            digest,
            tags=["1.0"],
            on_progress=lambda done, total: told.append((done, total)),
            should_stop=lambda: bool(told),
        )
    assert not has_tag(target, "1.0")
    result = copy_image(layout, target, digest, tags=["1.0"])
    assert result.blobs_present + result.blobs_copied == 42


def test_progress_ends_with_all_bytes_and_never_goes_back(
    layout: OciLayout, target: RegistryRepository
) -> None:
    digest = make_image(layout, "progress", layers=6)
    told: list[tuple[int, int]] = []
    result = copy_image(
        layout, target, digest, on_progress=lambda done, total: told.append((done, total))
    )
    assert told == sorted(told)
    assert told[-1] == (result.bytes_copied, result.bytes_copied)


def test_a_tag_that_moves_at_the_source_changes_nothing_for_a_copy_by_digest(
    source: RegistryRepository, target: RegistryRepository
) -> None:
    digest = make_image(source, "before it moved")
    moved = make_image(source, "after it moved")
    assert source.resolve("1.0") == moved
    copy_image(source, target, digest, tags=["1.0"])
    assert target.resolve("1.0") == digest


def test_a_tag_at_the_target_moves_to_the_copied_digest(
    source: RegistryRepository, target: RegistryRepository
) -> None:
    older, newer = make_image(source, "older"), make_image(source, "newer")
    copy_image(source, target, older, tags=["stable"])
    copy_image(source, target, newer, tags=["stable"])
    assert target.resolve("stable") == newer
    assert target.read_manifest(older).digest == older


def test_referrers_come_along_also_those_of_platforms_and_of_referrers(
    source: RegistryRepository, target: RegistryRepository
) -> None:
    digest = make_image(source, "referrers")
    child = parse_manifest(source.read_manifest(digest).raw).children[0].digest
    sbom = attach_referrer(
        source, digest, artifact_type="a/sbom", content=b"sbom", media_type="text/plain"
    )
    signature = attach_referrer(
        source, sbom, artifact_type="a/signature", content=b"signature", media_type="text/plain"
    )
    scan = attach_referrer(
        source, child, artifact_type="a/scan", content=b"scan", media_type="text/plain"
    )
    result = copy_image(source, target, digest, tags=["1.0"])
    assert (result.referrers, result.notes) == (3, ())
    for subject, referrer in ((digest, sbom), (sbom, signature), (child, scan)):
        assert [one.digest for one in target.list_referrers(subject)] == [referrer]
        assert target.list_referrers(subject) == source.list_referrers(subject)
        assert verify_image(target, referrer).is_intact
    # The lists themselves are the same bytes, too.
    fallback = name_fallback_tag(digest)
    assert target.read_manifest(fallback).raw == source.read_manifest(fallback).raw


def test_referrers_only_the_target_has_are_kept(
    source: RegistryRepository, target: RegistryRepository
) -> None:
    digest = make_image(source, "kept")
    copy_image(source, target, digest)
    own, theirs = (
        attach_referrer(
            repository, digest, artifact_type="a/b", content=content, media_type="text/plain"
        )
        for repository, content in ((target, b"own"), (source, b"theirs"))
    )
    copy_image(source, target, digest)
    assert {one.digest for one in target.list_referrers(digest)} == {own, theirs}


def test_referrers_stay_behind_when_not_wanted(
    source: RegistryRepository, target: RegistryRepository
) -> None:
    digest = make_image(source, "left behind")
    attach_referrer(source, digest, artifact_type="a/b", content=b"x", media_type="text/plain")
    assert copy_image(source, target, digest, referrers=False).referrers == 0
    assert target.list_referrers(digest) == ()


def test_a_listed_referrer_that_is_gone_is_told_and_does_not_stop_the_copy(
    layout: OciLayout, target: RegistryRepository
) -> None:
    digest = make_image(layout, "gone")
    referrer = attach_referrer(
        layout, digest, artifact_type="a/b", content=b"x", media_type="text/plain"
    )
    (layout.path / "blobs/sha256" / referrer[7:]).unlink()
    result = copy_image(layout, target, digest, tags=["1.0"])
    assert target.resolve("1.0") == digest
    (note,) = result.notes
    assert referrer in note


def test_what_is_listed_as_a_referrer_but_has_another_subject_is_not_taken_for_one(
    layout: OciLayout, target: RegistryRepository
) -> None:
    digest, other = make_image(layout, "subject"), make_image(layout, "other subject")
    attach_referrer(layout, other, artifact_type="a/b", content=b"x", media_type="text/plain")
    layout.tag(layout.resolve(name_fallback_tag(other)), name_fallback_tag(digest))
    result = copy_image(layout, target, digest)
    assert "says it is not" in result.notes[0]
    assert target.list_referrers(digest) == ()


def test_more_levels_of_referrers_than_allowed_are_an_error_and_not_left_out(
    layout: OciLayout, target: RegistryRepository
) -> None:
    digest = subject = make_image(layout, "levels")
    for level in range(6):
        subject = attach_referrer(
            layout, subject, artifact_type="a/b", content=b"%d" % level, media_type="text/plain"
        )
    with pytest.raises(ImageTooLargeError, match="deeper than"):
        copy_image(layout, target, digest, tags=["1.0"])
    assert not has_tag(target, "1.0")


@pytest.mark.parametrize("suffix", [".sig", ".att", ".sbom"])
def test_evidence_under_older_tags_comes_along(
    source: RegistryRepository, target: RegistryRepository, suffix: str
) -> None:
    digest = make_image(source, f"legacy {suffix}")
    tag = name_fallback_tag(digest) + suffix
    evidence = push_legacy(source, tag, b"signature")
    assert copy_image(source, target, digest).referrers == 1
    assert target.resolve(tag) == evidence
    assert verify_image(target, evidence).is_intact


def test_older_evidence_at_the_target_is_replaced_only_if_nothing_of_it_is_lost(
    source: RegistryRepository, target: RegistryRepository
) -> None:
    digest = make_image(source, "legacy replaced")
    tag = name_fallback_tag(digest) + ".sig"
    push_legacy(source, tag, b"first")
    copy_image(source, target, digest)
    both = push_legacy(source, tag, b"first", b"second")
    assert copy_image(source, target, digest).notes == ()
    assert target.resolve(tag) == both
    own = push_legacy(target, tag, b"own")
    result = copy_image(source, target, digest)
    assert "evidence of its own" in result.notes[0]
    assert target.resolve(tag) == own


def test_a_digest_that_is_not_at_the_source_is_missing(
    source: RegistryRepository, target: RegistryRepository
) -> None:
    with pytest.raises(ImageNotFoundError):
        copy_image(source, target, "sha256:" + "0" * 64, tags=["1.0"])
    assert not has_tag(target, "1.0")


def test_a_layer_kept_elsewhere_is_left_there_and_told(layout: OciLayout, tmp_path: Path) -> None:
    config = b"{}"
    layout.write_blob(compute_digest(config), 2, [config])
    foreign = {
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "digest": "sha256:" + "f" * 64,
        "size": 9,
        "urls": ["https://elsewhere.test/layer"],
    }
    described = {"mediaType": "a/b", "digest": compute_digest(config), "size": 2}
    digest = push_raw(layout, {"schemaVersion": 2, "config": described, "layers": [foreign]})
    result = copy_image(layout, OciLayout(tmp_path / "target"), digest)
    assert result.blobs_copied == 1
    assert "https://elsewhere.test/layer" in result.notes[0]
