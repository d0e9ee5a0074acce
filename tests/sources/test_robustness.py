"""No payload ends in a traceback, and what cannot be read costs only itself."""

import json
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promotion.exceptions import InputError
from promotion.sources.base import Delivery, Normalised
from promotion.sources.known import SOURCES
from tests.sources.fuzz import check, with_proof
from tests.sources.mutating import mutate, seeds

TESTS = Path(__file__).parents[1]
CASES = [
    (case["source"], case["headers"], (TESTS / "fixtures" / case["file"]).read_bytes())
    for path in sorted((TESTS / "vectors" / "events").glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
]
PAYLOADS = [
    (source, headers, json.loads(body.decode("utf-8-sig")))
    for source, headers, body in CASES
    if body.lstrip().startswith((b"{", b"["))
]
DIGEST = "sha256:" + "a" * 64
PUSH = {"action": "push", "target": {"repository": "shop", "digest": DIGEST}}

STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["\x00", "\ud800", "0001-01-01T00:00:00Z", "sha256:", "refs/tags/", "{", "null"]
    ),
    st.lists(st.none() | st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)


def normalise(source: str, headers: dict[str, str], body: bytes) -> Normalised:
    return SOURCES[source].normalise(Delivery(body, headers))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else []
    )
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_payload_with_anything_anywhere_is_normalised_or_called_unreadable(
    data: st.DataObject,
) -> None:
    source, headers, payload = data.draw(st.sampled_from(PAYLOADS))
    for _ in range(data.draw(st.integers(1, 3))):
        payload = replaced(payload, data.draw(st.sampled_from(places(payload))), data.draw(STRANGE))
    body = json.dumps(payload).encode()
    try:
        found = normalise(source, headers, body)
    except InputError:
        return
    written = json.dumps([fact.as_json() for fact in found.facts] + list(found.notes))
    assert "\\u0000" not in written
    assert found.facts or found.notes
    assert SOURCES[source].delivery_id(Delivery(body, headers)) != ""


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(CASES), st.data())
def test_damaged_bytes_are_normalised_or_called_unreadable(
    case: tuple[str, dict[str, str], bytes], data: st.DataObject
) -> None:
    source, headers, body = case
    at = data.draw(st.integers(0, len(body)))
    damaged = (
        body[:at] + data.draw(st.binary(max_size=4)) + body[at + data.draw(st.integers(0, 4)) :]
    )
    try:
        found = normalise(source, headers, damaged)
    except InputError:
        found = Normalised(notes=("It is unreadable.",))
    assert found.facts or found.notes


SEEDS = seeds()


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(SOURCES)), st.integers(min_value=0))
def test_no_delivery_however_damaged_breaks_a_source_or_is_believed(kind: str, seed: int) -> None:
    chance = random.Random(seed)
    check(kind, with_proof(mutate(*chance.choice(SEEDS[kind]), chance), chance))


@pytest.mark.parametrize("name", ["Ce-Id", "Ce-Source"])
def test_an_id_in_a_header_is_kept_without_what_no_database_stores(name: str) -> None:
    headers = {"Ce-Id": "1", "Ce-Source": "/here"} | {name: "a\x00b\ud800"}
    identity = SOURCES["cdevents"].delivery_id(Delivery(b"{}", headers))
    assert identity is not None
    assert "ab?" in identity


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"null", b"3", b'"text"', b"[[], null, 3]", b'{"a": NaN}', b"[{}, {}]"]
)
def test_json_that_says_nothing_becomes_notes(source: str, body: bytes) -> None:
    found = normalise(source, {}, body)
    assert found.facts == ()
    assert found.notes


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"<xml/>",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 5000,
    ],
)
def test_bytes_that_are_no_json_are_unreadable_with_a_sentence(source: str, body: bytes) -> None:
    with pytest.raises(InputError, match="nothing was read"):
        normalise(source, {}, body)


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + json.dumps(PUSH).encode(),
        json.dumps(PUSH).encode("utf-16"),
        b"payload=" + quote_plus(json.dumps(PUSH)).encode(),
        json.dumps([PUSH]).encode(),
        json.dumps({"events": [PUSH]}).encode(),
        json.dumps(PUSH).encode() + b"\n" + b'{"action": "pull"}',
    ],
    ids=["byte order mark", "utf-16", "form", "list", "envelope", "lines"],
)
def test_a_payload_may_be_wrapped_in_many_ways(body: bytes) -> None:
    assert [fact.digest for fact in normalise("registry", {}, body).facts] == [DIGEST]


def test_a_million_broken_lines_cost_no_million_notes() -> None:
    body = json.dumps(PUSH).encode() + b"\n3" * 200_000 + b"\n" + json.dumps(PUSH).encode()
    found = normalise("registry", {}, body)
    assert len(found.facts) == 2
    assert len(found.notes) == 501
    assert found.notes[-1] == "There were more notes; they were left out."


def test_an_element_that_cannot_be_read_costs_only_itself() -> None:
    found = normalise(
        "registry", {}, json.dumps(PUSH).encode() + b"\n{broken\n3\n" + json.dumps(PUSH).encode()
    )
    assert len(found.facts) == 2
    assert found.notes == (
        "Line 2 is not JSON; it was left out.",
        "Element 3 is not a JSON object; it was left out.",
    )


def test_bytes_that_are_not_utf_8_do_not_cost_the_payload() -> None:
    body = json.dumps(PUSH).encode().replace(b'"action"', b'"who": "Andr\xe9", "action"')
    found = normalise("registry", {}, body)
    assert len(found.facts) == 1
    assert found.notes == ("Some bytes are not UTF-8; they were read as unknown characters.",)


def test_a_long_run_of_blanks_in_a_trailer_is_read_in_no_time() -> None:
    message = "Co-authored-by:" + " " * 9_000 + "\nCo-authored-by: Ana <ana@example.com>"
    body = {
        "ref": "refs/heads/main",
        "after": "a" * 40,
        "commits": [{"id": "a" * 40, "message": message, "author": {"name": "Bo"}}],
    }
    (fact,) = normalise("github", {"X-GitHub-Event": "push"}, json.dumps(body).encode()).facts
    assert fact.details["commits"][0]["co_authors"] == [{"name": "Ana", "email": "ana@example.com"}]
