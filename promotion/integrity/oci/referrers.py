"""The index under a fallback tag that lists a digest's referrers (distribution spec 1.1)."""

import json
from collections.abc import Iterable

from promotion.integrity.oci.errors import UnsupportedManifestError
from promotion.integrity.oci.manifests import (
    LARGEST_MANIFEST,
    OCI_INDEX,
    Descriptor,
    Manifest,
    RawManifest,
    parse_manifest,
)


def read_referrers(stored: RawManifest, tag: str) -> tuple[Descriptor, ...]:
    """Return what a fallback index lists; raises UnsupportedManifestError if it is no index."""
    manifest = parse_manifest(stored.raw, stored.media_type)
    if not manifest.is_index:
        raise UnsupportedManifestError(
            f"The tag {tag} should list referrers but names an image. Nothing was changed. "
            "Remove or rename that tag."
        )
    return manifest.children


def add_referrer(stored: RawManifest | None, referrer: Manifest) -> bytes | None:
    """Return the fallback index with one more referrer, or None if it is listed already.

    What the index holds besides is kept as it is. Raises UnsupportedManifestError if it would
    grow beyond what registries take.
    """
    if stored is None:
        document: dict[str, object] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    else:
        document = json.loads(stored.raw)
    listed = document["manifests"]
    assert isinstance(listed, list)
    if any(isinstance(one, dict) and one.get("digest") == referrer.digest for one in listed):
        return None
    document["manifests"] = [*listed, referrer.describe().as_json()]
    raw = json.dumps(document, separators=(",", ":")).encode()
    if len(raw) > LARGEST_MANIFEST:
        raise UnsupportedManifestError(
            f"The list of referrers would have {len(raw)} bytes, more than {LARGEST_MANIFEST}. "
            "It was not changed. Remove referrers that are no longer needed."
        )
    return raw


def merge_descriptors(*lists: Iterable[Descriptor]) -> tuple[Descriptor, ...]:
    """Return all descriptors, each digest once, in the order they came."""
    merged: dict[str, Descriptor] = {}
    for listed in lists:
        for descriptor in listed:
            merged.setdefault(descriptor.digest, descriptor)
    return tuple(merged.values())
