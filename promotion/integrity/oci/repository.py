"""What a repository of images can do, whether on disk or behind a registry."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Protocol

from promotion.integrity.oci.manifests import Descriptor, RawManifest

# Bytes as they come; closing it early lets go of the file or connection they come from.
Chunks = Generator[bytes, None, None]


@dataclass(frozen=True, slots=True)
class MountAnswer:
    """Whether a blob was mounted; if not, the upload the registry opened instead, if any."""

    is_mounted: bool
    upload: str = ""


class Repository(Protocol):
    """A place for one service's images; everything in it is named by its digest.

    Every method may raise RepositoryUnreachableError (worth another try) or
    RepositoryRefusedError (not worth one), besides what it names itself.
    """

    @property
    def address(self) -> str:
        """Where it is, as shown to people."""
        ...

    def shares_blobs_with(self, other: "Repository") -> bool:
        """Could a blob of the other repository be mounted here without moving its bytes?"""
        ...

    def has_blob(self, digest: str, size: int) -> bool:
        """Is the blob here? A layout hashes it, a registry compares the size in bytes.

        Raises DigestMismatchError where a registry holds another size under that name.
        """
        ...

    def open_blob(self, digest: str) -> Chunks:
        """Yield the stored bytes, unchecked; raises ImageNotFoundError."""
        ...

    def write_blob(
        self, digest: str, size: int, chunks: Iterable[bytes], *, upload: str = ""
    ) -> None:
        """Store a blob of `size` bytes, checking bytes before they are here under that name.

        `upload` goes on with an upload that `mount_blob` answered with.
        Raises DigestMismatchError, and then the blob is not here.
        """
        ...

    def mount_blob(self, digest: str, source: "Repository") -> MountAnswer:
        """Make a blob of another repository of the same registry a blob of this one, too."""
        ...

    def read_manifest(self, reference: str) -> RawManifest:
        """Return the manifest of a tag or digest as stored; its digest is of the bytes read.

        Raises ImageNotFoundError, UnsupportedManifestError, and DigestMismatchError if asked for
        by digest and the bytes are others.
        """
        ...

    def write_manifest(self, raw: bytes, media_type: str, reference: str) -> str:
        """Store a manifest unchanged under a digest or tag and return its digest.

        One that names a subject can afterwards be found with `list_referrers`.
        Raises DigestMismatchError if the reference is the digest of other bytes.
        """
        ...

    def list_referrers(self, digest: str) -> tuple[Descriptor, ...]:
        """Return the descriptors of manifests that say their subject is this digest."""
        ...

    def list_tags(self) -> tuple[str, ...]:
        """Return all tags in order."""
        ...

    def resolve(self, tag: str) -> str:
        """Return the digest a tag names now; raises ImageNotFoundError."""
        ...

    def tag(self, digest: str, name: str) -> None:
        """Let a tag name a manifest that is here; raises ImageNotFoundError."""
        ...


class RepositoryStore(Protocol):
    """A place with many repositories, each with a name such as `team/service`."""

    def open_repository(self, name: str) -> Repository:
        """Return the repository of that name; it need not have anything in it yet."""
        ...
