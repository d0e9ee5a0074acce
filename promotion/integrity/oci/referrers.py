"""The index under a fallback tag that lists a digest's referrers (distribution spec 1.1)."""

import json
from collections.abc import Iterable
from typing import Any

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


def add_referrer(stored: RawManifest | None, tag: str, referrer: Manifest) -> bytes | None:
    """Return the fallback index with one more referrer, or None if it is listed already.

    What the index holds besides is kept as it is. Raises UnsupportedManifestError if the tag
    names no index, or if the index would grow beyond what registries take.
    """
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    if stored is not None:
        if any(one.digest == referrer.digest for one in read_referrers(stored, tag)):
            return None
        document = json.loads(stored.raw)
    document["manifests"].append(referrer.describe().as_json())
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
