"""Digests of bytes: `sha256:` and 64 lower-case hexadecimal digits, as in the OCI image spec.

Only SHA-256 is accepted: it is the one algorithm every registry must support, and a second one
would give the same bytes two identities.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import TypeGuard

from promotion.exceptions import InputError, ThroughlineError

DIGEST_PATTERN = r"sha256:[0-9a-f]{64}"
_DIGEST = re.compile(DIGEST_PATTERN)
_PREFIX = "sha256:"


class InvalidDigestError(InputError):
    """The text is not a digest we accept."""


class DigestMismatchError(ThroughlineError):
    """Bytes do not have the digest or the size they are named by; trying again will not help."""

    def __init__(
        self, sentence: str, *, expected: str, found: str = "", size: int | None = None
    ) -> None:
        super().__init__(sentence)
        self.expected = expected
        self.found = found
        self.size = size


def is_digest(text: object) -> TypeGuard[str]:
    """Is this exactly `sha256:` and 64 lower-case hexadecimal digits?"""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def parse_digest(text: object) -> str:
    """Return the digest unchanged; raises InvalidDigestError for anything else."""
    if not is_digest(text):
        shown = repr(text)[:90]
        raise InvalidDigestError(
            f"{shown} is not a digest. Give sha256: and 64 lower-case hexadecimal digits."
        )
    return text


def read_hexadecimal(digest: str) -> str:
    """Return the 64 hexadecimal digits of a digest; raises InvalidDigestError."""
    return parse_digest(digest).removeprefix(_PREFIX)


def shorten_digest(digest: str) -> str:
    """Return the digest with its first 12 hexadecimal digits, for sentences and tables."""
    return _PREFIX + read_hexadecimal(digest)[:12]


def compute_digest(content: bytes) -> str:
    """Return the digest of these bytes."""
    return _PREFIX + hashlib.sha256(content).hexdigest()


class StreamingHasher:
    """Hashes and counts bytes as they pass."""

    __slots__ = ("_hash", "size")

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.size = 0

    def update(self, chunk: bytes) -> None:
        """Add the next bytes."""
        self._hash.update(chunk)
        self.size += len(chunk)

    @property
    def digest(self) -> str:
        """The digest of all bytes so far."""
        return _PREFIX + self._hash.hexdigest()


def hash_stream(chunks: Iterable[bytes], *, limit: int | None = None) -> StreamingHasher:
    """Read chunks to their end, or until more than `limit` bytes came, and return the hasher."""
    hasher = StreamingHasher()
    for chunk in chunks:
        hasher.update(chunk)
        if limit is not None and hasher.size > limit:
            break
    return hasher


def verify_stream(chunks: Iterable[bytes], *, digest: str, size: int) -> Iterator[bytes]:
    """Pass chunks on, the last one only once all of them have this digest and size (bytes).

    Whoever receives the chunks therefore never holds the complete content of a wrong stream.
    Raises DigestMismatchError, as soon as more than `size` bytes came or at the end.
    """
    hasher = StreamingHasher()
    held = b""
    for chunk in pass_hashed(chunks, hasher, digest, size):
        if held:
            yield held
        held = chunk
    check_hash(hasher, digest=digest, size=size)
    if held:
        yield held


def pass_hashed(
    chunks: Iterable[bytes], hasher: StreamingHasher, digest: str, size: int
) -> Iterator[bytes]:
    """Pass chunks on and hash them, at the end of which the digest is still to be checked.

    Raises DigestMismatchError, as soon as more than `size` bytes came or at the end, if fewer.
    """
    for chunk in chunks:
        hasher.update(chunk)
        if hasher.size > size:
            break
        if chunk:
            yield chunk
    if hasher.size != size:
        check_hash(hasher, digest=digest, size=size)


def check_hash(hasher: StreamingHasher, *, digest: str, size: int) -> None:
    """Raise DigestMismatchError unless what was hashed has this digest and size (bytes)."""
    if hasher.size != size:
        amount = f"more than the {size} bytes" if hasher.size > size else f"{hasher.size} bytes"
        wanted = "" if hasher.size > size else f", not the {size} bytes"
        raise DigestMismatchError(
            f"The content of {shorten_digest(digest)} has {amount}{wanted} its descriptor says. "
            "It was not used. Find out who changed it, or build and push the image again.",
            expected=digest,
            size=hasher.size,
        )
    if hasher.digest != digest:
        raise DigestMismatchError(
            f"The content named {shorten_digest(digest)} hashes to "
            f"{shorten_digest(hasher.digest)}. It was not used. "
            "Find out who changed it, or build and push the image again.",
            expected=digest,
            found=hasher.digest,
            size=hasher.size,
        )
