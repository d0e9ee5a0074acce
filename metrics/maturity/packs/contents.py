"""A pack as a ZIP: canonical JSON parts, and a manifest with the SHA-256 of each."""

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import rfc8785

FORMAT = "throughline-maturity-pack/1"
MANIFEST, MODEL, ASSESSMENT, CLAIMS = "manifest.json", "model.yaml", "assessment.json", "claims/"
# The first time a ZIP can hold: the same assessment gives the same bytes whenever it is packed.
EPOCH = (1980, 1, 1, 0, 0, 0)
MOST_PARTS, MOST_BYTES = 1000, 64 * 1024 * 1024

# A changed byte shows as any of these: in the directory, the checksum or the stream.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)


class PackError(Exception):
    """The file is no pack, or not a whole one; the sentence says why."""


def hash_part(body: bytes) -> str:
    """The SHA-256 of a part, in hex."""
    return hashlib.sha256(body).hexdigest()


def write_pack(head: Mapping[str, Any], parts: Mapping[str, bytes]) -> bytes:
    """The ZIP of the parts with their manifest; equal input gives equal bytes.

    `head` goes into the manifest. Canonical JSON: RFC 8785.
    """
    listed: dict[str, Any] = {
        name: {"sha256": hash_part(body), "size": len(body)} for name, body in sorted(parts.items())
    }
    manifest = rfc8785.dumps({**head, "format": FORMAT, "parts": listed})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in [(MANIFEST, manifest), *sorted(parts.items())]:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, body)
    return buffer.getvalue()


def open_pack(data: bytes) -> dict[str, bytes]:
    """The parts of a pack by name, as they are; PackError where it is no ZIP or too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_PARTS or sum(one.file_size for one in entries) > MOST_BYTES:
                raise PackError("it holds more than a pack does")
            names = [one.filename for one in entries]
            if len(set(names)) != len(names):
                raise PackError("it holds a part twice")
            return {one.filename: archive.read(one) for one in entries}
    except BROKEN as error:
        raise PackError(f"it cannot be read as a ZIP ({error})") from error


def read_json(parts: Mapping[str, bytes], name: str) -> dict[str, Any]:
    """A part as JSON; PackError where it is missing or is no JSON object."""
    if name not in parts:
        raise PackError(f"{name} is missing")
    try:
        found = json.loads(parts[name])
    except (ValueError, RecursionError) as error:
        raise PackError(f"{name} is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise PackError(f"{name} is no JSON object")
    return found


def find_changed(parts: Mapping[str, bytes], manifest: Mapping[str, Any]) -> list[str]:
    """A sentence for each part that is missing, changed, or not listed; empty when all agree."""
    listed = manifest.get("parts")
    if not isinstance(listed, dict):
        return [f"{MANIFEST} lists no parts"]
    problems = []
    for name, said in sorted(listed.items()):
        if name not in parts:
            problems.append(f"{name} is listed and missing")
            continue
        wanted = said.get("sha256") if isinstance(said, dict) else None
        found = hash_part(parts[name])
        if found != wanted:
            problems.append(f"{name} was changed: it has sha256:{found}, listed is {wanted}")
    problems += [
        f"{name} is there and not listed" for name in sorted(set(parts) - set(listed) - {MANIFEST})
    ]
    return problems
