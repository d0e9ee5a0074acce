"""Digests: what is one, and that wrong bytes never come through whole."""

import hashlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotion.integrity.digests import (
    DigestMismatchError,
    InvalidDigestError,
    compute_digest,
    hash_stream,
    is_digest,
    parse_digest,
    read_hexadecimal,
    shorten_digest,
    verify_stream,
)

HELLO = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def test_the_digest_of_bytes_is_that_of_the_published_example() -> None:
    assert compute_digest(b"hello") == HELLO


def test_a_digest_gives_its_hexadecimal_digits_and_a_short_form() -> None:
    assert read_hexadecimal(HELLO) == HELLO[7:]
    assert shorten_digest(HELLO) == "sha256:2cf24dba5fb0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latest",
        HELLO[7:],
        HELLO.upper(),
        HELLO + "\n",
        HELLO[:-1],
        HELLO + "0",
        "sha512:" + "0" * 128,
        "sha256:" + "g" * 64,
        " " + HELLO,
        None,
        7,
    ],
)
def test_anything_but_a_lower_case_sha256_is_refused(text: object) -> None:
    assert not is_digest(text)
    with pytest.raises(InvalidDigestError, match="is not a digest"):
        parse_digest(text)


def receive(chunks: Iterable[bytes], into: bytearray) -> None:
    """Keep all that comes, also if it ends in an error."""
    for chunk in chunks:
        into += chunk


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_right_bytes_come_through_unchanged_however_they_are_cut(chunks: list[bytes]) -> None:
    content = b"".join(chunks)
    passed = verify_stream(chunks, digest=compute_digest(content), size=len(content))
    assert b"".join(passed) == content


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=10), st.data())
def test_one_wrong_byte_stops_the_stream_before_its_end(
    chunks: list[bytes], data: st.DataObject
) -> None:
    content = b"".join(chunks)
    place = data.draw(st.integers(0, len(chunks) - 1))
    damaged = list(chunks)
    damaged[place] = bytes([damaged[place][0] ^ 1]) + damaged[place][1:]
    received = bytearray()
    checked = verify_stream(damaged, digest=compute_digest(content), size=len(content))
    with pytest.raises(DigestMismatchError, match="hashes to"):
        receive(checked, received)
    assert len(received) < len(content)


@pytest.mark.parametrize("size", [4, 6])
def test_a_stream_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(DigestMismatchError, match="descriptor says") as caught:
        list(verify_stream([b"hel", b"lo"], digest=HELLO, size=size))
    assert not caught.value.retryable


def test_hashing_stops_soon_after_more_bytes_than_the_limit() -> None:
    endless = iter(lambda: b"x" * 10, b"")
    hasher = hash_stream(endless, limit=25)
    assert hasher.size == 30
    assert hasher.digest == "sha256:" + hashlib.sha256(b"x" * 30).hexdigest()
