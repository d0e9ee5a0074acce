"""Copying an image by digest from one repository to another, with what refers to it."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from promotion.exceptions import ThroughlineError
from promotion.integrity.digests import (
    DigestMismatchError,
    check_hash,
    hash_stream,
    parse_digest,
)
from promotion.integrity.oci.errors import ImageNotFoundError, TagMovedError
from promotion.integrity.oci.evidence import Evidence, collect_evidence
from promotion.integrity.oci.graph import ImageGraph, read_graph
from promotion.integrity.oci.manifests import Descriptor, parse_manifest
from promotion.integrity.oci.names import check_tag
from promotion.integrity.oci.repository import Repository
from promotion.integrity.oci.transfer import BlobWork, OnProgress, ShouldStop


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What a copy did; counts of things, and bytes. `notes` are sentences for a person."""

    digest: str
    manifests: int
    referrers: int
    blobs_copied: int
    blobs_present: int
    blobs_mounted: int
    bytes_copied: int
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def copy_image(
    source: Repository,
    target: Repository,
    digest: str,
    *,
    tags: Sequence[str] = (),
    referrers: bool = True,
    on_progress: OnProgress | None = None,
    should_stop: ShouldStop | None = None,
) -> CopyResult:
    """Copy a manifest or a whole index with its blobs, unchanged, and tag it last of all.

    Every byte is checked: what is streamed before the target has it under its name; what the
    target shares with the source's registry is read and hashed there. What is there is skipped.
    `on_progress(done, total)` in bytes and `should_stop()` are called in the caller's thread.
    Raises DigestMismatchError (no tag is set) and the errors of `oci.errors`; of all these only
    RepositoryUnreachableError is worth another try.
    """
    tags = tuple(check_tag(tag) for tag in tags)
    graph = read_graph(source, parse_digest(digest))
    evidence = collect_evidence(source, graph) if referrers else Evidence()
    blobs = _BlobCopy(source, target, graph, on_progress, should_stop)
    blobs.run()
    _write_manifests(target, graph, evidence)
    blobs.work.check_stop()
    evidence.notes += _write_legacy_tags(target, graph, evidence)
    _check_stored(target, graph, digest)
    _write_tags(target, digest, tags)
    return CopyResult(
        digest=digest,
        manifests=len(graph.manifests),
        referrers=evidence.count,
        blobs_copied=blobs.copied,
        blobs_present=blobs.present,
        blobs_mounted=blobs.mounted,
        bytes_copied=blobs.bytes_copied,
        tags=tags,
        notes=(*blobs.notes, *evidence.notes),
    )


class _BlobCopy:
    """Brings the blobs of one image to the target, a few at a time."""

    def __init__(
        self,
        source: Repository,
        target: Repository,
        graph: ImageGraph,
        on_progress: OnProgress | None,
        should_stop: ShouldStop | None,
    ) -> None:
        self._source = source
        self._target = target
        self._shares = target.shares_blobs_with(source)
        self._lock = threading.Lock()
        self.work = BlobWork(graph.blobs.values(), on_progress=on_progress, should_stop=should_stop)
        self.copied = self.present = self.mounted = self.bytes_copied = 0
        self.notes: list[str] = []

    def run(self) -> None:
        """Copy, mount or find every blob; raises the first failure."""
        self.work.run(self._bring)

    def _bring(self, blob: Descriptor) -> None:
        if self._target.has_blob(blob.digest, blob.size):
            # It may have been mounted by a copy that was cut off before hashing it.
            if self._shares:
                self._check_bytes(blob)
            else:
                self.work.count(blob.size)
            with self._lock:
                self.present += 1
            return
        if blob.urls and not self._source.has_blob(blob.digest, blob.size):
            self._leave_out(blob)
            return
        upload = ""
        if self._shares:
            answer = self._target.mount_blob(blob.digest, self._source)
            if answer.is_mounted:
                self._check_bytes(blob)
                with self._lock:
                    self.mounted += 1
                return
            upload = answer.upload
        self._stream(blob, upload)

    def _stream(self, blob: Descriptor, upload: str) -> None:
        with self.work.watch(self._source.open_blob(blob.digest)) as chunks:
            self._target.write_blob(blob.digest, blob.size, chunks, upload=upload)
        with self._lock:
            self.copied += 1
            self.bytes_copied += blob.size

    def _check_bytes(self, blob: Descriptor) -> None:
        with self.work.watch(self._target.open_blob(blob.digest)) as chunks:
            hasher = hash_stream(chunks, limit=blob.size)
        check_hash(hasher, digest=blob.digest, size=blob.size)

    def _leave_out(self, blob: Descriptor) -> None:
        self.work.count(blob.size)
        with self._lock:
            self.notes.append(
                f"The layer {blob.digest} is kept elsewhere ({blob.urls[0]}) and not in the "
                "source, so it was not copied."
            )


def _write_manifests(target: Repository, graph: ImageGraph, evidence: Evidence) -> None:
    for digest, manifest in graph.manifests.items():
        # A referrer is written even if it is there, so that the target's list has it, too.
        if digest in evidence.referrers or not _has_manifest(target, digest):
            target.write_manifest(manifest.raw, manifest.media_type, digest)


def _has_manifest(target: Repository, digest: str) -> bool:
    try:
        target.read_manifest(digest)
    except ImageNotFoundError:
        return False
    return True


def _write_legacy_tags(target: Repository, graph: ImageGraph, evidence: Evidence) -> Iterable[str]:
    """Set the tags of older evidence, but never over evidence that only the target has."""
    notes = []
    for tag, digest in evidence.legacy_tags.items():
        try:
            there = target.read_manifest(tag)
        except ImageNotFoundError:
            target.tag(digest, tag)
            continue
        if there.digest == digest:
            continue
        ours = {blob.digest for blob in graph.manifests[digest].blobs[1:]}
        theirs = parse_manifest(there.raw, there.media_type).blobs[1:]
        if all(blob.digest in ours for blob in theirs):
            target.tag(digest, tag)
        else:
            notes.append(
                f"{target.address} has evidence of its own under {tag}, so that tag was kept; "
                f"the source's is there as {digest}."
            )
    return notes


def _check_stored(target: Repository, graph: ImageGraph, digest: str) -> None:
    stored = target.read_manifest(digest)
    if stored.raw != graph.manifests[digest].raw:
        raise DigestMismatchError(
            f"{target.address} gives other bytes back for {digest} than were written. "
            "No tag was set. Check the registry.",
            expected=digest,
            found=stored.digest,
        )


def _write_tags(target: Repository, digest: str, tags: Iterable[str]) -> None:
    for tag in tags:
        if _resolve(target, tag) != digest:
            target.tag(digest, tag)
    for tag in tags:
        found = _resolve(target, tag)
        if found != digest:
            raise TagMovedError(
                f"The tag {tag} in {target.address} was set to {digest} but now names "
                f"{found or 'nothing'}. Somebody else sets it, too. Find out who, then try again."
            )


def _resolve(target: Repository, tag: str) -> str:
    try:
        return target.resolve(tag)
    except ImageNotFoundError:
        return ""
    except ThroughlineError as error:
        # A tag on something unreadable may be moved away from it, unless the registry is down.
        if error.retryable:
            raise
        return ""
