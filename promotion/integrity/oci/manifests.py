"""Reading image manifests and indexes (OCI image spec 1.1, Docker schema 2), never writing them.

A manifest travels as the bytes it was made of; what is parsed here only says what it names.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from promotion.integrity.digests import compute_digest, is_digest
from promotion.integrity.oci.errors import UnsupportedManifestError

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
IMAGE_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
MANIFEST_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)

# The distribution spec asks registries to take at least this much; more is an attack or a mistake.
LARGEST_MANIFEST = 4 * 1024 * 1024


class RawManifest(NamedTuple):
    """A manifest as it is stored: its bytes, media type and digest."""

    raw: bytes
    media_type: str
    digest: str


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says of something it names; `size` in bytes."""

    media_type: str
    digest: str
    size: int
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    urls: tuple[str, ...] = ()

    @property
    def is_manifest(self) -> bool:
        """Does it name a manifest or an index rather than a blob?"""
        return self.media_type in MANIFEST_TYPES

    def as_json(self) -> dict[str, object]:
        """Return the descriptor in the form of the spec."""
        form: dict[str, object] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size,
        }
        if self.artifact_type:
            form["artifactType"] = self.artifact_type
        if self.annotations:
            form["annotations"] = dict(self.annotations)
        return form


@dataclass(frozen=True, slots=True)
class Manifest:
    """A parsed manifest or index together with its untouched bytes."""

    raw: bytes
    media_type: str
    digest: str
    children: tuple[Descriptor, ...] = ()
    blobs: tuple[Descriptor, ...] = ()
    subject: Descriptor | None = None
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_index(self) -> bool:
        """Does it list other manifests?"""
        return self.media_type in INDEX_TYPES

    def describe(self) -> Descriptor:
        """Return the descriptor under which a referrers list names this manifest."""
        return Descriptor(
            media_type=self.media_type,
            digest=self.digest,
            size=len(self.raw),
            artifact_type=self.artifact_type,
            annotations=self.annotations,
        )


def parse_manifest(raw: bytes, media_type: str = "") -> Manifest:
    """Parse the bytes of a manifest; `media_type` is what the repository said it is, if it did.

    Raises UnsupportedManifestError for schema 1, for more than 4 MiB, for what is not a manifest,
    and for one whose type is ambiguous (the type confusion of CVE-2021-41190).
    """
    digest = compute_digest(raw)
    document = _load(raw, digest)
    kind = _tell_media_type(document, media_type, digest)
    config = document.get("config")
    listed = _read_list(document, "manifests", digest) if kind in INDEX_TYPES else ()
    layers = _read_list(document, "layers", digest) if kind in IMAGE_TYPES else ()
    if kind in IMAGE_TYPES:
        layers = (_read_descriptor(config, digest), *layers)
    subject = document.get("subject")
    artifact_type = document.get("artifactType")
    if not artifact_type and kind in IMAGE_TYPES and isinstance(config, dict):
        artifact_type = config.get("mediaType")
    return Manifest(
        raw=raw,
        media_type=kind,
        digest=digest,
        children=tuple(one for one in listed if one.is_manifest),
        blobs=layers + tuple(one for one in listed if not one.is_manifest),
        subject=None if subject is None else _read_descriptor(subject, digest),
        artifact_type=artifact_type if isinstance(artifact_type, str) else "",
        annotations=_read_annotations(document),
    )


def _load(raw: bytes, digest: str) -> dict[str, Any]:
    if len(raw) > LARGEST_MANIFEST:
        raise _refuse(digest, f"has {len(raw)} bytes, more than {LARGEST_MANIFEST}")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise _refuse(digest, "is not JSON") from None
    if not isinstance(document, dict):
        raise _refuse(digest, "is not a JSON object")
    if document.get("schemaVersion") == 1:
        raise _refuse(digest, "is of the old schema 1, which has no stable digest")
    if document.get("schemaVersion") != 2:
        raise _refuse(digest, "has no schemaVersion 2")
    return document


def _tell_media_type(document: dict[str, Any], said: str, digest: str) -> str:
    said = said.partition(";")[0].strip().lower()
    written = document.get("mediaType")
    has_list, has_layers = "manifests" in document, "layers" in document
    if has_list == has_layers:
        raise _refuse(digest, "is neither clearly an image nor clearly an index")
    if said not in MANIFEST_TYPES:
        # Plain JSON, octets or nothing says no more than that the repository does not know.
        said = ""
    kind = written or said or (OCI_INDEX if has_list else OCI_MANIFEST)
    if kind not in MANIFEST_TYPES:
        raise _refuse(digest, f"is of the kind {str(kind)[:80]!r}, which is not supported")
    if said and said != kind:
        raise _refuse(digest, f"was sent as {said} but says that it is {kind}")
    if (kind in INDEX_TYPES) != has_list:
        raise _refuse(digest, f"says that it is {kind} but is not built like one")
    return str(kind)


def _read_list(document: dict[str, Any], key: str, digest: str) -> tuple[Descriptor, ...]:
    entries = document[key]
    if not isinstance(entries, list):
        raise _refuse(digest, f"has no list under {key!r}")
    return tuple(_read_descriptor(entry, digest) for entry in entries)


def _read_descriptor(entry: object, digest: str) -> Descriptor:
    if not isinstance(entry, dict):
        raise _refuse(digest, "names something without a descriptor")
    named, size, media_type = entry.get("digest"), entry.get("size"), entry.get("mediaType")
    if not is_digest(named):
        raise _refuse(digest, f"names {str(named)[:90]!r}, which is not a sha256 digest")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _refuse(digest, f"gives no valid size for {named}")
    if not isinstance(media_type, str) or not media_type:
        raise _refuse(digest, f"gives no media type for {named}")
    urls, artifact_type = entry.get("urls"), entry.get("artifactType")
    return Descriptor(
        media_type=media_type,
        digest=named,
        size=size,
        artifact_type=artifact_type if isinstance(artifact_type, str) else "",
        annotations=_read_annotations(entry),
        urls=tuple(str(url) for url in urls) if isinstance(urls, list) else (),
    )


def _read_annotations(document: dict[str, Any]) -> Mapping[str, str]:
    annotations = document.get("annotations")
    if not isinstance(annotations, dict):
        return {}
    return {key: value for key, value in annotations.items() if isinstance(value, str)}


def _refuse(digest: str, why: str) -> UnsupportedManifestError:
    return UnsupportedManifestError(
        f"The manifest {digest} {why}. Nothing was changed. "
        "Push the image again as an OCI or Docker schema 2 image."
    )
