"""Everything an image consists of, and images that contradict themselves."""

import json
from pathlib import Path

import pytest

from promotion.integrity.digests import DigestMismatchError, compute_digest
from promotion.integrity.oci.building import build_image
from promotion.integrity.oci.copying import copy_image
from promotion.integrity.oci.errors import ImageTooLargeError, TagMovedError
from promotion.integrity.oci.graph import read_graph
from promotion.integrity.oci.layout import OciLayout
from promotion.integrity.oci.manifests import OCI_INDEX
from promotion.integrity.oci.verifying import verify_image


@pytest.fixture
def layout(tmp_path: Path) -> OciLayout:
    return OciLayout(tmp_path / "layout")


def push_index(layout: OciLayout, *children: tuple[str, str, int]) -> str:
    """Write an index of children given as media type, digest and size."""
    entries = [
        {"mediaType": media_type, "digest": digest, "size": size}
        for media_type, digest, size in children
    ]
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    return layout.write_manifest(raw, OCI_INDEX, compute_digest(raw))


def measure(layout: OciLayout, digest: str) -> int:
    return len(layout.read_manifest(digest).raw)


def test_every_manifest_comes_after_all_that_it_names(layout: OciLayout) -> None:
    digest = build_image(layout, files={"a": b"1"}, platforms=("linux/amd64", "linux/arm64"))
    outer = push_index(layout, (OCI_INDEX, digest, measure(layout, digest)))
    manifests = read_graph(layout, outer).manifests
    order = list(manifests)
    assert order[-1] == outer
    for manifest in manifests.values():
        for child in manifest.children:
            assert order.index(child.digest) < order.index(manifest.digest)


def test_an_index_that_names_nothing_is_copied_all_the_same(
    layout: OciLayout, tmp_path: Path
) -> None:
    digest = push_index(layout)
    result = copy_image(layout, OciLayout(tmp_path / "target"), digest, tags=["empty"])
    assert (result.manifests, result.blobs_copied) == (1, 0)
    assert OciLayout(tmp_path / "target").resolve("empty") == digest


def test_indexes_nested_too_deeply_are_refused(layout: OciLayout) -> None:
    digest = push_index(layout)
    for _ in range(6):
        digest = push_index(layout, (OCI_INDEX, digest, measure(layout, digest)))
    with pytest.raises(ImageTooLargeError, match="deeper than 4"):
        read_graph(layout, digest)


def test_a_child_of_another_size_than_its_index_says_is_refused(layout: OciLayout) -> None:
    digest = build_image(layout, files={"a": b"1"})
    outer = push_index(layout, (OCI_INDEX, digest, measure(layout, digest) + 1))
    with pytest.raises(DigestMismatchError, match="the index that names it"):
        read_graph(layout, outer)
    assert [one.digest for one in verify_image(layout, outer).mismatches] == [digest]


def test_one_blob_with_two_sizes_is_refused(layout: OciLayout) -> None:
    blob = compute_digest(b"x")
    outer = push_index(layout, ("a/b", blob, 1), ("a/b", blob, 2))
    with pytest.raises(DigestMismatchError, match="1 and 2 bytes"):
        read_graph(layout, outer)


def test_a_tag_somebody_else_moves_at_once_is_noticed_when_read_back(
    layout: OciLayout, tmp_path: Path
) -> None:
    digest = build_image(layout, files={"a": b"1"})

    class ContestedLayout(OciLayout):
        def tag(self, digest: str, name: str) -> None:
            super().tag(digest, name)
            build_image(OciLayout(self.path), files={"theirs": b"2"}, tag=name)

    with pytest.raises(TagMovedError, match="Somebody else sets it"):
        copy_image(layout, ContestedLayout(tmp_path / "target"), digest, tags=["1.0"])


def test_a_tag_on_something_damaged_can_be_moved_to_the_copied_image(
    layout: OciLayout, tmp_path: Path
) -> None:
    target = OciLayout(tmp_path / "target")
    old = build_image(target, files={"old": b"1"}, tag="1.0")
    (target.path / "blobs/sha256" / old[7:]).write_bytes(b"damaged")
    digest = build_image(layout, files={"new": b"1"})
    copy_image(layout, target, digest, tags=["1.0"])
    assert target.resolve("1.0") == digest
    assert verify_image(target, digest).is_intact
