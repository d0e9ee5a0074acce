"""The images of the demonstration's releases: real bytes, the same for the same version."""

import functools
import hashlib
import random
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from django.conf import settings

from demo.organisation import BUILD_REGISTRY, DIRECTORY
from promotion.integrity.digests import compute_digest
from promotion.integrity.oci.building import Layer, build_image, build_layer
from promotion.integrity.oci.layout import OciLayout, OciLayoutStore
from promotion.integrity.oci.repository import Repository

PLATFORMS = ("linux/amd64", "linux/arm64")
_BASE_BYTES, _PROGRAM_BYTES = 192 * 1024, 24 * 1024


def build_registry(slug: str) -> OciLayout:
    """The layout to which the builds of a service are pushed."""
    root = Path(settings.DATA_DIR) / DIRECTORY / BUILD_REGISTRY
    return OciLayoutStore(root).open_repository(f"meridian/{slug}")


def push_image(slug: str, version: str, commit: str, take: int = 1) -> str:
    """Builds the image into the build registry, tags it, and returns its digest."""
    return _build(build_registry(slug), slug, version, commit, take, tag=version)


@functools.lru_cache(maxsize=4096)
def digest_of(slug: str, version: str, commit: str, take: int = 1) -> str:
    """The digest of the same image, built in memory; its bytes are not kept."""
    # The builder uses only what this class has.
    return _build(cast(Repository, _Forgetful()), slug, version, commit, take)


def _build(
    repository: Repository, slug: str, version: str, commit: str, take: int, tag: str | None = None
) -> str:
    """`take` tells a second build of the same version from the first: it has other bytes."""
    files = {
        "app/VERSION": f"{slug} {version}\n".encode(),
        "app/REVISION": f"{commit}\n".encode(),
        "app/program": _noise(f"{slug} {version} {take}", _PROGRAM_BYTES),
    }
    return build_image(
        repository,
        files=files,
        layers=[_base_layer()],
        platforms=PLATFORMS,
        annotations={
            "org.opencontainers.image.revision": commit,
            "org.opencontainers.image.title": slug,
            "org.opencontainers.image.version": version,
        },
        tag=tag,
    )


@functools.cache
def _base_layer() -> Layer:
    """What all services are built upon."""
    return build_layer({"usr/lib/runtime": _noise("base", _BASE_BYTES)}, compression=0)


def _noise(text: str, length: int) -> bytes:
    """Bytes that do not compress and belong to the text alone."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest())
    return random.Random(seed).randbytes(length)  # noqa: S311 - content, no secret


class _Forgetful:
    """A repository that computes digests and keeps nothing."""

    address = "memory"

    def has_blob(self, digest: str, size: int) -> bool:
        return True

    def write_blob(self, digest: str, size: int, chunks: Iterable[bytes]) -> None:
        raise AssertionError("nothing is written where everything is said to be there")

    def write_manifest(self, raw: bytes, media_type: str, reference: str) -> str:
        return compute_digest(raw)
