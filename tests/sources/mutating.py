"""Real payloads, damaged in the ways that senders, proxies and people with bad intent damage them."""

import copy
import gzip
import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

from promotion.sources.base import Delivery
from promotion.sources.known import SOURCES
from tests.parts.samples import FIXTURES, all_cases

STRANGE: list[Any] = [
    None,
    True,
    "",
    " ",
    0,
    -1,
    2**63,
    10**400,
    -(10**19),
    1e308,
    float("nan"),
    float("inf"),
    -float("inf"),
    1e-320,
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "\x1b[31m\r\n\x7f\x85\u2028",
    "\u202egnp.exe",
    "x" * 20_000,
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999-14:00",
    "0001-01-01T00:00:00+14:00",
    "2026-02-30T25:61:61Z",
    "253402300800",
    1e18,
    "P1D",
    "sha256:" + "a" * 63,
    "sha256:" + "A" * 64,
    "sha512:" + "a" * 128,
    "refs/tags/",
    "refs/heads/" + "ü" * 300,
    "pkg:oci/%ZZ@%00",
    "pkg:" + "%" * 200,
    "http://[::1",
    "https://[v1.fe80::a+en1]/x",
    "//\\@:0/",
    "git@host:",
    "javascript:alert(1)",
    "{",
    '{"a":',
    "[" * 5_000,
    "null",
    "=?utf-8?q?=ff?=",
    "e30=",
    "////",
    "%s%n{}{0.__class__}",
    [],
    {},
    [[]],
    [None],
    {"": {}},
    {"\x00": 1},
]
LARGEST = 5 * 1024 * 1024  # more than that is refused before it is read
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "cp1252", "utf-7")


def seeds() -> dict[str, list[tuple[dict[str, str], bytes]]]:
    """What each kind of sender is known to send; kinds without any sample get what others send."""
    found: dict[str, list[tuple[dict[str, str], bytes]]] = {kind: [] for kind in SOURCES}
    for kind, name, headers in all_cases():
        found[kind].append((headers, (FIXTURES / name).read_bytes()))
    everything = [one for some in found.values() for one in some]
    return {kind: some or everything for kind, some in found.items()}


def mutate(headers: dict[str, str], body: bytes, chance: random.Random) -> Delivery:
    """The delivery with one to four things wrong with it."""
    headers = dict(headers)
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except ValueError:
        changed = body
    else:
        for _ in range(chance.randint(0, 4)):
            value = _change(value, chance)
        changed = _write(value, chance)
    if chance.random() < 0.3:
        changed = chance.choice(_BYTES)(changed, chance)
    changed = changed[:LARGEST]
    if headers and chance.random() < 0.2:
        headers[chance.choice(list(headers))] = chance.choice(
            ["", "\x00", "é" * 50, "x" * 5000, "push", "null", "\ud800"]
        )
    if chance.random() < 0.05:
        headers["Content-Type"] = chance.choice(
            ["application/x-www-form-urlencoded", "multipart/form-data", "text/xml; charset=\x00"]
        )
    return Delivery(changed, headers)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in it but the root, deep ones included."""
    for key, inner in (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    ):
        yield (*path, key)
        if len(path) < 12:
            yield from _places(inner, (*path, key))


def _change(value: Any, chance: random.Random) -> Any:
    """The value with one thing in it dropped, replaced, wrapped, repeated or exchanged."""
    places = list(_places(value))
    if not places or chance.random() < 0.02:
        return chance.choice(STRANGE)
    path = chance.choice(places)
    value = copy.deepcopy(value)
    inside = value
    for key in path[:-1]:
        inside = inside[key]
    key = path[-1]
    what = chance.randrange(7)
    if what == 0:
        del inside[key]
    elif what == 1:
        inside[key] = _nest(inside[key], chance)
    elif what == 2:
        inside[key] = [inside[key]] * chance.choice([0, 1, 2, 50])
    elif what == 3:
        other = value
        for step in chance.choice(places)[: chance.randint(1, 12)]:
            other = other[step] if _has(other, step) else other
        inside[key] = copy.deepcopy(other)
    elif what == 4 and isinstance(inside[key], str):
        text = inside[key]
        at = chance.randint(0, len(text))
        inside[key] = text[:at] + str(chance.choice(STRANGE)) + text[at:]
    elif what == 5 and isinstance(inside, dict):
        inside[str(chance.choice(STRANGE))[:300]] = inside.pop(key)
    else:
        inside[key] = chance.choice(STRANGE)
    return value


def _has(value: Any, key: Any) -> bool:
    if isinstance(value, dict):
        return key in value
    return isinstance(value, list) and isinstance(key, int) and key < len(value)


def _nest(value: Any, chance: random.Random) -> Any:
    for _ in range(chance.choice([1, 3, 60])):
        value = [value] if chance.random() < 0.5 else {"a": value}
    return value


def _write(value: Any, chance: random.Random) -> bytes:
    """As JSON in one of the forms that are sent; half characters stay escapes."""
    text = json.dumps(value, ensure_ascii=chance.random() < 0.8)
    return text.encode("utf-8", "surrogatepass")


def _cut(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randint(0, len(body))]


def _flip(body: bytes, chance: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(min(len(changed), chance.choice([1, 5, 100]))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _insert(body: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(body))
    more = chance.choice(
        [
            b"\x00",
            b"\xff\xfe",
            b"\xed\xa0\x80",
            b"[" * 3000,
            b"9" * 5000,
            b"\n",
            b"--b\r\n\r\n",
            b"<!DOCTYPE a>",
        ]
    )
    return body[:at] + more + body[at:]


def _encode(body: bytes, chance: random.Random) -> bytes:
    return body.decode("utf-8", "replace").encode(chance.choice(ENCODINGS), "replace")


def _repeat(body: bytes, chance: random.Random) -> bytes:
    return (body.replace(b"\n", b" ") + chance.choice([b"\n", b"", b"\r\n", b","])) * chance.choice(
        [2, 30]
    )


def _wrap(body: bytes, chance: random.Random) -> bytes:
    form: dict[int, Callable[[], bytes]] = {
        0: lambda: b"[" + body + b"," + body + b"]",
        1: lambda: b'{"events":[' + body + b"]}",
        2: lambda: b"payload=" + quote_plus(body).encode(),
        3: lambda: gzip.compress(body),
        4: lambda: json.dumps(body.decode("utf-8", "replace")).encode(),
    }
    return form[chance.randrange(5)]()


_BYTES = (_cut, _flip, _insert, _encode, _repeat, _wrap)
