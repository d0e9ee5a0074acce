"""The files of an image layout, written so that a crash leaves the old or the new, never half."""

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from promotion.integrity.digests import read_hexadecimal
from promotion.integrity.oci.errors import (
    RepositoryUnreachableError,
    UnsupportedManifestError,
)
from promotion.integrity.oci.file_lock import hold_lock
from promotion.integrity.oci.manifests import OCI_INDEX

REF_NAME = "org.opencontainers.image.ref.name"
CHUNK_SIZE = 1024 * 1024
_LAYOUT = {"imageLayoutVersion": "1.0.0"}

Entries = list[dict[str, Any]]


class LayoutFiles:
    """The blobs and the index of one layout directory (OCI image spec 1.1, image-layout)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def locate_blob(self, digest: str) -> Path:
        """Return where the blob of this digest is kept."""
        return self.path / "blobs" / "sha256" / read_hexadecimal(digest)

    def read_entries(self) -> Entries:
        """Return the descriptors of `index.json`; none where there is no layout yet."""
        return self._list_entries(self._load_index())

    def write_blob(self, digest: str, chunks: Iterable[bytes]) -> None:
        """Put the chunks under the digest once all of them came; raises what they raise."""
        with self.report_failures():
            self._prepare()
        self._replace(self.locate_blob(digest), chunks)

    def change_entries(self, change: Callable[[Entries], Entries]) -> None:
        """Rewrite the descriptors of `index.json`, one process at a time."""
        with self.report_failures():
            self._prepare()
            # Only this block is under the lock: a stream may be slow, an index is not.
            with hold_lock(self.path / ".index.lock"):
                index = self._load_index()
                before = self._list_entries(index)
                after = change([dict(entry) for entry in before])
                if after != before or not (self.path / "index.json").exists():
                    index["manifests"] = after
                    self._replace(self.path / "index.json", [_encode(index)])

    @contextmanager
    def report_failures(self) -> Iterator[None]:
        """Turn a failing disk into an error with a sentence."""
        try:
            yield
        except OSError as error:
            raise RepositoryUnreachableError(
                f"The image layout {self.path} cannot be used: {error.strerror or error}. "
                "Nothing was changed there. Check the disk and the rights, then try again."
            ) from error

    def _prepare(self) -> None:
        (self.path / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        marker = self.path / "oci-layout"
        if not marker.exists():
            self._replace(marker, [_encode(_LAYOUT)])

    def _load_index(self) -> dict[str, Any]:
        path = self.path / "index.json"
        with self.report_failures():
            if not path.exists():
                return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
            raw = path.read_bytes()
        try:
            index = json.loads(raw)
        except ValueError:
            index = None
        if not isinstance(index, dict) or not isinstance(index.get("manifests"), list):
            raise UnsupportedManifestError(
                f"{path} is not the index of an image layout. Nothing was changed. "
                "Restore it or make the layout anew."
            )
        return index

    @staticmethod
    def _list_entries(index: dict[str, Any]) -> Entries:
        return [entry for entry in index["manifests"] if isinstance(entry, dict)]

    def _replace(self, path: Path, chunks: Iterable[bytes]) -> None:
        with self.report_failures():
            handle, name = tempfile.mkstemp(prefix=".incoming-", dir=path.parent)
        try:
            # The chunks' own errors are passed on as they are; only the disk's are reported.
            with open(handle, "wb", buffering=0) as file:
                for chunk in chunks:
                    with self.report_failures():
                        _write_all(file.fileno(), chunk)
                with self.report_failures():
                    os.fsync(file.fileno())
            with self.report_failures():
                os.chmod(name, 0o644)
                os.replace(name, path)
                _sync_directory(path.parent)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(name)
            raise


def _write_all(handle: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _sync_directory(path: Path) -> None:
    if os.name == "nt":  # Windows cannot open a directory, and keeps renames by itself.
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
