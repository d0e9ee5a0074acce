"""Image layouts on disk."""

import json
import threading
from pathlib import Path

import pytest

from promotion.integrity.digests import DigestMismatchError, compute_digest
from promotion.integrity.oci.building import attach_referrer, build_image
from promotion.integrity.oci.errors import (
    ImageNotFoundError,
    InvalidNameError,
    UnsupportedManifestError,
)
from promotion.integrity.oci.layout import OciLayout, OciLayoutStore
from promotion.integrity.oci.manifests import OCI_INDEX, parse_manifest

MISSING = "sha256:" + "0" * 64


@pytest.fixture
def layout(tmp_path: Path) -> OciLayout:
    return OciLayout(tmp_path / "layout")


def list_blobs(layout: OciLayout) -> list[str]:
    return sorted(path.name for path in (layout.path / "blobs/sha256").iterdir())


def test_a_built_image_is_a_valid_layout_that_lists_only_its_index(layout: OciLayout) -> None:
    digest = build_image(layout, files={"a": b"1"}, platforms=("linux/amd64", "linux/arm64"))
    assert json.loads((layout.path / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    entries = json.loads((layout.path / "index.json").read_text())["manifests"]
    assert [(entry["digest"], entry["mediaType"]) for entry in entries] == [(digest, OCI_INDEX)]


def test_a_tag_names_a_digest_and_can_move_without_losing_the_old_one(layout: OciLayout) -> None:
    first = build_image(layout, files={"a": b"1"}, tag="1.0")
    second = build_image(layout, files={"a": b"2"}, tag="1.0")
    assert layout.resolve("1.0") == second
    assert layout.read_manifest(first).digest == first
    entries = json.loads((layout.path / "index.json").read_text())["manifests"]
    assert {entry["digest"] for entry in entries} == {first, second}


def test_two_tags_of_one_digest_are_listed_in_order(layout: OciLayout) -> None:
    digest = build_image(layout, files={"a": b"1"}, tag="b")
    layout.tag(digest, "a")
    assert layout.list_tags() == ("a", "b")
    assert layout.resolve("a") == layout.resolve("b") == digest


@pytest.mark.parametrize("reference", [MISSING, "nothing"])
def test_what_is_not_there_is_said_to_be_missing(layout: OciLayout, reference: str) -> None:
    with pytest.raises(ImageNotFoundError, match=f"{reference} is not in oci:"):
        layout.read_manifest(reference)


def test_reading_a_missing_blob_says_so(layout: OciLayout) -> None:
    with pytest.raises(ImageNotFoundError):
        list(layout.open_blob(MISSING))


def test_a_blob_with_wrong_bytes_is_not_kept_nor_anything_of_it(layout: OciLayout) -> None:
    digest = compute_digest(b"right")
    with pytest.raises(DigestMismatchError):
        layout.write_blob(digest, 5, [b"wro", b"ng"])
    assert not layout.has_blob(digest, 5)
    assert list_blobs(layout) == []


def test_a_damaged_blob_does_not_count_as_there_and_can_be_replaced(layout: OciLayout) -> None:
    digest = compute_digest(b"right")
    layout.write_blob(digest, 5, [b"right"])
    (layout.path / "blobs/sha256" / digest[7:]).write_bytes(b"wrong")
    assert not layout.has_blob(digest, 5)
    layout.write_blob(digest, 5, [b"right"])
    assert layout.has_blob(digest, 5)
    assert b"".join(layout.open_blob(digest)) == b"right"


def test_a_damaged_manifest_is_refused(layout: OciLayout) -> None:
    digest = build_image(layout, files={"a": b"1"})
    path = layout.path / "blobs/sha256" / digest[7:]
    path.write_bytes(path.read_bytes().replace(b"linux", b"linus"))
    with pytest.raises(DigestMismatchError, match="hashes to"):
        layout.read_manifest(digest)


def test_a_manifest_is_not_written_under_the_digest_of_another(layout: OciLayout) -> None:
    digest = build_image(layout, files={"a": b"1"})
    raw = layout.read_manifest(digest).raw
    with pytest.raises(DigestMismatchError):
        layout.write_manifest(raw, OCI_INDEX, MISSING)


def test_a_broken_index_is_not_written_over(layout: OciLayout) -> None:
    digest = build_image(layout, files={"a": b"1"})
    (layout.path / "index.json").write_text("{")
    with pytest.raises(UnsupportedManifestError, match="Restore it"):
        layout.tag(digest, "1.0")
    assert (layout.path / "index.json").read_text() == "{"


def test_referrers_are_listed_under_the_fallback_tag_with_type_and_annotations(
    layout: OciLayout,
) -> None:
    digest = build_image(layout, files={"a": b"1"}, tag="1.0")
    referrer = attach_referrer(
        layout,
        digest,
        artifact_type="application/vnd.example.sbom",
        content=b"{}",
        media_type="application/json",
        annotations={"org.example.made-by": "test"},
    )
    (listed,) = layout.list_referrers(digest)
    assert listed.digest == referrer
    assert listed.artifact_type == "application/vnd.example.sbom"
    assert listed.annotations == {"org.example.made-by": "test"}
    assert layout.list_tags() == ("1.0", f"sha256-{digest[7:]}")


def test_a_referrer_other_tools_left_without_a_tag_is_found_by_its_subject(
    layout: OciLayout,
) -> None:
    digest = build_image(layout, files={"a": b"1"})
    referrer = attach_referrer(
        layout, digest, artifact_type="a/b", content=b"x", media_type="text/plain"
    )
    index = json.loads((layout.path / "index.json").read_text())
    stored = parse_manifest(layout.read_manifest(referrer).raw)
    index["manifests"] = [stored.describe().as_json()]
    (layout.path / "index.json").write_text(json.dumps(index))
    assert [one.digest for one in layout.list_referrers(digest)] == [referrer]


def test_tags_set_at_the_same_time_are_all_kept(layout: OciLayout) -> None:
    digest = build_image(layout, files={"a": b"1"})
    start = threading.Barrier(8)

    def set_tag(number: int) -> None:
        start.wait()
        OciLayout(layout.path).tag(digest, f"tag-{number}")

    threads = [threading.Thread(target=set_tag, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert layout.list_tags() == tuple(f"tag-{number}" for number in range(8))


def test_each_repository_of_a_store_has_a_layout_of_its_own(tmp_path: Path) -> None:
    store = OciLayoutStore(tmp_path)
    digest = build_image(store.open_repository("team/one"), files={"a": b"1"}, tag="1")
    assert (tmp_path / "team/one/oci-layout").is_file()
    with pytest.raises(ImageNotFoundError):
        store.open_repository("team/two").read_manifest(digest)


@pytest.mark.parametrize("name", ["", "../up", "/root", "Team", "a//b", "a/../b", "a" * 256, "a\n"])
def test_a_name_that_could_leave_the_store_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidNameError, match="is not a repository name"):
        OciLayoutStore(tmp_path).open_repository(name)


@pytest.mark.parametrize("tag", ["", ".", "a/b", "a" * 129, "a b", "ü"])
def test_a_text_that_is_no_tag_is_refused(layout: OciLayout, tag: str) -> None:
    with pytest.raises(InvalidNameError, match="is not a tag"):
        layout.resolve(tag)
