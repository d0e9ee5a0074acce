"""Images made without a container tool."""

import gzip
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from promotion.exceptions import InputError
from promotion.integrity.digests import compute_digest
from promotion.integrity.oci.building import build_image, build_layer
from promotion.integrity.oci.layout import OciLayout
from promotion.integrity.oci.manifests import parse_manifest

SKOPEO = shutil.which("skopeo") or "skopeo"


def test_the_same_input_gives_the_same_digest_anywhere(tmp_path: Path) -> None:
    one = build_image(OciLayout(tmp_path / "one"), files={"a": b"1", "b": b"2"})
    two = build_image(OciLayout(tmp_path / "two"), files={"b": b"2", "a": b"1"})
    other = build_image(OciLayout(tmp_path / "two"), files={"a": b"1", "b": b"3"})
    assert one == two != other


def test_a_layer_holds_the_files_and_its_archive_has_the_digest_the_config_names() -> None:
    layer = build_layer({"etc/version": b"1.0", "app.py": b"print()"})
    archive = gzip.decompress(layer.content)
    assert compute_digest(archive) == layer.archive_digest
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert tar.getnames() == ["app.py", "etc/version"]
        assert {entry.mtime for entry in tar.getmembers()} == {0}
        file = tar.extractfile("etc/version")
        assert file is not None
        assert file.read() == b"1.0"


def test_each_platform_has_an_image_of_its_own_with_the_shared_layer(tmp_path: Path) -> None:
    layout = OciLayout(tmp_path)
    digest = build_image(
        layout,
        files={"a": b"1"},
        platforms=("linux/amd64", "linux/arm64/v8"),
        annotations={"org.opencontainers.image.version": "1.0"},
    )
    stored = layout.read_manifest(digest)
    entries = json.loads(stored.raw)["manifests"]
    assert [entry["platform"] for entry in entries] == [
        {"os": "linux", "architecture": "amd64"},
        {"os": "linux", "architecture": "arm64", "variant": "v8"},
    ]
    children = parse_manifest(stored.raw).children
    images = [parse_manifest(layout.read_manifest(child.digest).raw) for child in children]
    assert len({image.blobs[0].digest for image in images}) == 2
    assert len({image.blobs[1].digest for image in images}) == 1
    assert images[0].annotations == {"org.opencontainers.image.version": "1.0"}


@pytest.mark.needs_skopeo
def test_another_tool_reads_the_image_of_a_platform(tmp_path: Path) -> None:
    build_image(
        OciLayout(tmp_path), files={"a": b"1"}, platforms=("linux/arm64", "linux/amd64"), tag="1.0"
    )
    told = subprocess.run(
        [SKOPEO, "--override-arch", "arm64", "inspect", f"oci:{tmp_path}:1.0"],
        capture_output=True,
        check=True,
    )
    assert json.loads(told.stdout)["Architecture"] == "arm64"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../up", "a/../../b"])
def test_a_file_cannot_be_put_outside_the_image(path: str) -> None:
    with pytest.raises(InputError, match="not a path inside an image"):
        build_layer({path: b""})


@pytest.mark.parametrize("platforms", [(), ("linux",), ("linux/",), ("a/b/c/d",)])
def test_a_platform_needs_an_os_and_an_architecture(
    tmp_path: Path, platforms: tuple[str, ...]
) -> None:
    with pytest.raises(InputError, match="platform"):
        build_image(OciLayout(tmp_path), files={"a": b"1"}, platforms=platforms)
