"""Reading every byte of an image and comparing it with its digest."""

import threading
from dataclasses import dataclass

from promotion.exceptions import ThroughlineError
from promotion.integrity.digests import (
    DigestMismatchError,
    check_hash,
    hash_stream,
    parse_digest,
)
from promotion.integrity.oci.errors import ImageNotFoundError
from promotion.integrity.oci.graph import read_graph
from promotion.integrity.oci.manifests import Descriptor
from promotion.integrity.oci.repository import Repository
from promotion.integrity.oci.transfer import BlobWork, OnProgress, ShouldStop


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something the image names whose bytes are wrong or missing; `found` is empty if missing."""

    digest: str
    found: str
    sentence: str


@dataclass(frozen=True, slots=True)
class VerifiedImage:
    """What was read: counts of manifests and blobs, bytes of blobs, and what did not match."""

    digest: str
    manifests: int
    blobs: int
    bytes: int
    mismatches: tuple[Mismatch, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_intact(self) -> bool:
        """Did every byte match its digest?"""
        return not self.mismatches


def verify_image(
    repository: Repository,
    digest: str,
    on_progress: OnProgress | None = None,
    *,
    should_stop: ShouldStop | None = None,
) -> VerifiedImage:
    """Read and hash every manifest and blob of a digest, all platforms.

    `on_progress(done, total)` in bytes of blobs is called in the caller's thread. What is wrong
    or missing below the digest, or the digest's own manifest if its bytes are wrong, becomes a
    mismatch. Raises ImageNotFoundError if the digest is not there, UnsupportedManifestError,
    ImageTooLargeError, CopyStoppedError, RepositoryRefusedError and RepositoryUnreachableError:
    then nothing is known.
    """
    mismatches: list[Mismatch] = []

    def note_problem(named: str, error: ThroughlineError) -> None:
        if not isinstance(error, DigestMismatchError | ImageNotFoundError):
            raise error
        mismatches.append(_describe(named, error))

    try:
        graph = read_graph(repository, parse_digest(digest), on_problem=note_problem)
    except DigestMismatchError as error:
        return VerifiedImage(digest, 0, 0, 0, (_describe(digest, error),))
    check = _BlobCheck(repository)
    work = BlobWork(graph.blobs.values(), on_progress=on_progress, should_stop=should_stop)
    work.run(lambda blob: check.read(blob, work))
    return VerifiedImage(
        digest=digest,
        manifests=len(graph.manifests),
        blobs=check.blobs,
        bytes=check.bytes,
        mismatches=tuple(sorted([*mismatches, *check.mismatches], key=lambda one: one.digest)),
        notes=tuple(check.notes),
    )


class _BlobCheck:
    """Hashes blobs from several threads and keeps what came of it."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._lock = threading.Lock()
        self.blobs = self.bytes = 0
        self.mismatches: list[Mismatch] = []
        self.notes: list[str] = []

    def read(self, blob: Descriptor, work: BlobWork) -> None:
        """Hash one blob; raises only what leaves unknown whether it matches."""
        mismatch = None
        size = 0
        try:
            with work.watch(self._repository.open_blob(blob.digest)) as chunks:
                hasher = hash_stream(chunks, limit=blob.size)
            size = hasher.size
            check_hash(hasher, digest=blob.digest, size=blob.size)
        except DigestMismatchError as error:
            mismatch = _describe(blob.digest, error)
        except ImageNotFoundError as error:
            if blob.urls:
                with self._lock:
                    self.notes.append(
                        f"The layer {blob.digest} is kept elsewhere ({blob.urls[0]}) and was "
                        "not read."
                    )
                return
            mismatch = _describe(blob.digest, error)
        with self._lock:
            self.blobs += 1
            self.bytes += size
            if mismatch is not None:
                self.mismatches.append(mismatch)


def _describe(digest: str, error: ThroughlineError) -> Mismatch:
    found = error.found if isinstance(error, DigestMismatchError) else ""
    return Mismatch(digest, found, error.sentence)
