"""Making small, valid images and their referrers without a container tool.

The same input gives the same bytes, hence the same digest: nothing in them is taken from the
clock, the machine or the order of a directory. Used by the demonstration organisation and tests.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from promotion.exceptions import InputError
from promotion.integrity.digests import compute_digest
from promotion.integrity.oci.manifests import (
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    parse_manifest,
)
from promotion.integrity.oci.names import check_tag
from promotion.integrity.oci.repository import Repository

_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EMPTY_CONFIG = b"{}"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: the compressed bytes as pushed, and the digest of the archive inside."""

    content: bytes = field(repr=False)
    archive_digest: str

    def describe(self) -> Descriptor:
        """Return the descriptor under which manifests name the layer."""
        return Descriptor(_LAYER_TYPE, compute_digest(self.content), len(self.content))


def build_layer(files: Mapping[str, bytes], *, compression: int = 6) -> Layer:
    """Make a layer of files by path inside the image; `compression` is gzip's, 0 to 9.

    Raises InputError for a path that would leave the image.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(files):
            entry = tarfile.TarInfo(_check_path(path))
            entry.size = len(files[path])
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(files[path]))
    raw = archive.getvalue()
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", compression, fileobj=packed, mtime=0) as stream:
        stream.write(raw)
    return Layer(packed.getvalue(), compute_digest(raw))


def build_image(
    repository: Repository,
    *,
    files: Mapping[str, bytes] = MappingProxyType({}),
    layers: Sequence[Layer] = (),
    platforms: Sequence[str] = ("linux/amd64",),
    annotations: Mapping[str, str] = MappingProxyType({}),
    tag: str | None = None,
    created_at: datetime = _EPOCH,
) -> str:
    """Write an index with one image for each platform and return the index's digest.

    The images share `layers` and, above them, one layer of `files` by path; `platforms` are
    `os/architecture` or `os/architecture/variant`; `annotations` are the index's and each
    image's. Raises InputError, and what writing to the repository raises.
    """
    if tag is not None:
        check_tag(tag)
    if not platforms:
        raise InputError("An image needs a platform. Name at least one, such as linux/amd64.")
    used = [*layers, build_layer(files)] if files or not layers else list(layers)
    described = [layer.describe() for layer in used]
    for layer, descriptor in zip(used, described, strict=True):
        _put_blob(repository, layer.content, descriptor)
    entries = []
    for form in [_read_platform(platform) for platform in platforms]:
        config = _encode_config(form, used, created_at)
        entry = _put_image(repository, config, described, annotations)
        entries.append(entry.as_json() | {"platform": form})
    index = _encode(
        {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        | ({"annotations": dict(sorted(annotations.items()))} if annotations else {})
    )
    digest = repository.write_manifest(index, OCI_INDEX, compute_digest(index))
    if tag is not None:
        repository.tag(digest, tag)
    return digest


def attach_referrer(
    repository: Repository,
    subject: str,
    *,
    artifact_type: str,
    content: bytes,
    media_type: str,
    annotations: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Write evidence about a digest beside it and return the digest of its manifest.

    The form is that of the OCI image spec 1.1 for artifacts: an empty config, one layer with the
    content, and a subject. Raises ImageNotFoundError if the subject is not there.
    """
    stored = repository.read_manifest(subject)
    named = parse_manifest(stored.raw, stored.media_type)
    config = Descriptor(OCI_EMPTY, compute_digest(_EMPTY_CONFIG), len(_EMPTY_CONFIG))
    layer = Descriptor(media_type, compute_digest(content), len(content))
    _put_blob(repository, _EMPTY_CONFIG, config)
    _put_blob(repository, content, layer)
    form: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": config.as_json(),
        "layers": [layer.as_json()],
        "subject": Descriptor(named.media_type, named.digest, len(named.raw)).as_json(),
    }
    if annotations:
        form["annotations"] = dict(sorted(annotations.items()))
    raw = _encode(form)
    return repository.write_manifest(raw, OCI_MANIFEST, compute_digest(raw))


def _put_blob(repository: Repository, content: bytes, descriptor: Descriptor) -> None:
    if not repository.has_blob(descriptor.digest, descriptor.size):
        repository.write_blob(descriptor.digest, descriptor.size, [content])


def _put_image(
    repository: Repository,
    config: bytes,
    layers: Iterable[Descriptor],
    annotations: Mapping[str, str],
) -> Descriptor:
    named = Descriptor(_CONFIG_TYPE, compute_digest(config), len(config))
    _put_blob(repository, config, named)
    form: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": named.as_json(),
        "layers": [layer.as_json() for layer in layers],
    }
    if annotations:
        form["annotations"] = dict(sorted(annotations.items()))
    raw = _encode(form)
    digest = repository.write_manifest(raw, OCI_MANIFEST, compute_digest(raw))
    return Descriptor(OCI_MANIFEST, digest, len(raw))


def _encode_config(
    platform: Mapping[str, str], layers: Iterable[Layer], created_at: datetime
) -> bytes:
    created = created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _encode(
        {
            "created": created,
            **platform,
            "config": {},
            "rootfs": {
                "type": "layers",
                "diff_ids": [layer.archive_digest for layer in layers],
            },
            "history": [{"created": created, "created_by": "throughline"} for _ in layers],
        }
    )


def _read_platform(text: str) -> dict[str, str]:
    parts = text.split("/")
    if len(parts) not in {2, 3} or not all(parts):
        raise InputError(
            f"{text[:80]!r} is not a platform. Give os/architecture, such as linux/amd64."
        )
    return dict(zip(("os", "architecture", "variant"), parts, strict=False))


def _check_path(path: str) -> str:
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise InputError(
            f"{path[:200]!r} is not a path inside an image. "
            "Give one without a leading '/' and without '..'."
        )
    return path


def _encode(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
