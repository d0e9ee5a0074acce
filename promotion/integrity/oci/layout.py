"""Repositories on disk: image layouts (OCI image spec 1.1), as other tools read and write them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from promotion.integrity.digests import (
    DigestMismatchError,
    compute_digest,
    hash_stream,
    is_digest,
    parse_digest,
    verify_stream,
)
from promotion.integrity.oci.errors import ImageNotFoundError, UnsupportedManifestError
from promotion.integrity.oci.layout_files import CHUNK_SIZE, REF_NAME, Entries, LayoutFiles
from promotion.integrity.oci.manifests import (
    LARGEST_MANIFEST,
    OCI_INDEX,
    Descriptor,
    Manifest,
    RawManifest,
    parse_manifest,
)
from promotion.integrity.oci.names import check_repository_name, check_tag, name_fallback_tag
from promotion.integrity.oci.referrers import add_referrer, merge_descriptors, read_referrers
from promotion.integrity.oci.repository import Chunks, MountAnswer, Repository


class OciLayout:
    """One image layout directory, made when something is first written to it.

    `index.json` lists what is tagged and, without a name, what nothing else leads to. Referrers
    are listed by the fallback tag, so that the layout can be copied by any tool.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._files = LayoutFiles(self.path)

    @property
    def address(self) -> str:
        """Where it is, as shown to people."""
        return f"oci:{self.path}"

    def shares_blobs_with(self, other: Repository) -> bool:
        """Never: bytes that come to a layout are always checked on their way."""
        return False

    def has_blob(self, digest: str, size: int) -> bool:
        """Is a file with this digest and size (bytes) here? Its bytes are hashed."""
        path = self._files.locate_blob(digest)
        with self._files.report_failures():
            if not path.is_file() or path.stat().st_size != size:
                return False
        hasher = hash_stream(self.open_blob(digest), limit=size)
        return hasher.digest == digest

    def open_blob(self, digest: str) -> Chunks:
        """Yield the stored bytes, unchecked; raises ImageNotFoundError."""
        path = self._files.locate_blob(digest)
        with self._files.report_failures():
            if not path.is_file():
                raise self._miss(digest)
            file = path.open("rb", buffering=0)
        with file:
            while True:
                with self._files.report_failures():
                    chunk = file.read(CHUNK_SIZE)
                if not chunk:
                    return
                yield chunk

    def write_blob(
        self, digest: str, size: int, chunks: Iterable[bytes], *, upload: str = ""
    ) -> None:
        """Store a blob, replacing a damaged one; raises DigestMismatchError and stores nothing."""
        parse_digest(digest)
        self._files.write_blob(digest, verify_stream(chunks, digest=digest, size=size))

    def mount_blob(self, digest: str, source: Repository) -> MountAnswer:
        """Answer that nothing was mounted."""
        return MountAnswer(is_mounted=False)

    def read_manifest(self, reference: str) -> RawManifest:
        """Return the manifest of a tag or digest as stored.

        Raises ImageNotFoundError, UnsupportedManifestError, DigestMismatchError.
        """
        digest = reference if is_digest(reference) else self.resolve(reference)
        path = self._files.locate_blob(digest)
        with self._files.report_failures():
            if not path.is_file():
                raise self._miss(digest)
            with path.open("rb") as file:
                raw = file.read(LARGEST_MANIFEST + 1)
        found = compute_digest(raw)
        manifest_type = self._find_media_type(digest)
        if len(raw) <= LARGEST_MANIFEST and found != digest:
            raise DigestMismatchError(
                f"The manifest {digest} in {self.address} hashes to {found}. It was not used. "
                "Find out who changed it, or build and push the image again.",
                expected=digest,
                found=found,
                size=len(raw),
            )
        return RawManifest(raw, parse_manifest(raw, manifest_type).media_type, digest)

    def write_manifest(self, raw: bytes, media_type: str, reference: str) -> str:
        """Store a manifest unchanged under a digest or tag and return its digest.

        Raises UnsupportedManifestError, DigestMismatchError.
        """
        manifest = parse_manifest(raw, media_type)
        if is_digest(reference):
            self.write_blob(reference, len(raw), [raw])
            self._files.change_entries(lambda entries: _list_untagged(entries, manifest))
        else:
            check_tag(reference)
            self.write_blob(manifest.digest, len(raw), [raw])
            self._files.change_entries(lambda entries: _list_tagged(entries, manifest, reference))
        if manifest.subject is not None:
            self._link_referrer(manifest.subject.digest, manifest)
        return manifest.digest

    def list_referrers(self, digest: str) -> tuple[Descriptor, ...]:
        """Return what the fallback tag lists, and untagged manifests with that subject."""
        tag = name_fallback_tag(digest)
        listed: tuple[Descriptor, ...] = ()
        if _find_tagged(self._files.read_entries(), tag) is not None:
            listed = read_referrers(self.read_manifest(tag), tag)
        return merge_descriptors(listed, self._find_unlisted_referrers(digest))

    def list_tags(self) -> tuple[str, ...]:
        """Return all tags in order."""
        names = {_read_tag(entry) for entry in self._files.read_entries()}
        return tuple(sorted(names - {""}))

    def resolve(self, tag: str) -> str:
        """Return the digest a tag names now; raises ImageNotFoundError."""
        entry = _find_tagged(self._files.read_entries(), check_tag(tag))
        if entry is None:
            raise self._miss(tag)
        return parse_digest(entry.get("digest"))

    def tag(self, digest: str, name: str) -> None:
        """Let a tag name a manifest that is here; raises ImageNotFoundError."""
        check_tag(name)
        stored = self.read_manifest(digest)
        manifest = parse_manifest(stored.raw, stored.media_type)
        self._files.change_entries(lambda entries: _list_tagged(entries, manifest, name))

    def _link_referrer(self, subject: str, referrer: Manifest) -> None:
        tag = name_fallback_tag(subject)

        def link(entries: Entries) -> Entries:
            tagged = _find_tagged(entries, tag)
            stored = None if tagged is None else self.read_manifest(parse_digest(tagged["digest"]))
            raw = add_referrer(stored, tag, referrer)
            if raw is None:
                return entries
            index = parse_manifest(raw, OCI_INDEX)
            self.write_blob(index.digest, len(raw), [raw])
            # An older list has no use once the longer one is there.
            rest = [entry for entry in entries if entry is not tagged]
            return _list_tagged(rest, index, tag)

        self._files.change_entries(link)

    def _find_unlisted_referrers(self, digest: str) -> Iterator[Descriptor]:
        for entry in self._files.read_entries():
            if _read_tag(entry) or not is_digest(entry.get("digest")):
                continue
            try:
                stored = self.read_manifest(entry["digest"])
            except (ImageNotFoundError, DigestMismatchError, UnsupportedManifestError):
                # Damage to something else must not stop work on this digest.
                continue
            manifest = parse_manifest(stored.raw, stored.media_type)
            if manifest.subject is not None and manifest.subject.digest == digest:
                yield manifest.describe()

    def _find_media_type(self, digest: str) -> str:
        for entry in self._files.read_entries():
            if entry.get("digest") == digest:
                return str(entry.get("mediaType", ""))
        return ""

    def _miss(self, reference: str) -> ImageNotFoundError:
        return ImageNotFoundError(
            f"{reference} is not in {self.address}. Nothing was changed. "
            "Check the name, or push the image first."
        )


class OciLayoutStore:
    """A directory with one image layout for each repository: `root/<repository>/oci-layout`."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def open_repository(self, name: str) -> OciLayout:
        """Return the layout of that repository; raises InvalidNameError."""
        return OciLayout(self.root / check_repository_name(name))


def _read_tag(entry: dict[str, Any]) -> str:
    annotations = entry.get("annotations")
    return str(annotations.get(REF_NAME, "")) if isinstance(annotations, dict) else ""


def _find_tagged(entries: Entries, tag: str) -> dict[str, Any] | None:
    return next((entry for entry in entries if _read_tag(entry) == tag), None)


def _list_untagged(entries: Entries, manifest: Manifest) -> Entries:
    kept = _drop_children(entries, manifest)
    if any(entry.get("digest") == manifest.digest for entry in kept):
        return kept
    return [*kept, manifest.describe().as_json()]


def _list_tagged(entries: Entries, manifest: Manifest, tag: str) -> Entries:
    kept: Entries = []
    for entry in _drop_children(entries, manifest):
        if _read_tag(entry) == tag:
            # The tag moves on, and what it named stays in the layout without a name.
            entry["annotations"] = {
                key: value for key, value in entry["annotations"].items() if key != REF_NAME
            }
        kept.append(entry)
    named = {entry.get("digest") for entry in kept if _read_tag(entry)} | {manifest.digest}
    kept = [entry for entry in kept if _read_tag(entry) or entry.get("digest") not in named]
    described = manifest.describe()
    return [
        *kept,
        {
            "mediaType": described.media_type,
            "digest": described.digest,
            "size": described.size,
            "annotations": {REF_NAME: tag},
        },
    ]


def _drop_children(entries: Entries, manifest: Manifest) -> Entries:
    children = {child.digest for child in manifest.children}
    return [entry for entry in entries if _read_tag(entry) or entry.get("digest") not in children]
