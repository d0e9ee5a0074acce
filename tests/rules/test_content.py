"""The content hash: what an approval is bound to."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from promotion.exceptions import InputError
from promotion.rules.content import (
    Content,
    config_digest,
    content_fields,
    content_hash,
    differing_fields,
)

CONTENT = Content(
    service="parcel",
    artifacts=frozenset({"sha256:b", "sha256:a"}),
    upstream=frozenset({"staging", "dev"}),
    to="production",
    pipeline_version=7,
    config_digest="sha256:c",
    kind="normal",
)
CHANGES: list[tuple[str, Any]] = [
    ("service", "label"),
    ("artifacts", frozenset({"sha256:a"})),
    ("upstream", frozenset({"dev"})),
    ("to", "staging"),
    ("pipeline_version", 8),
    ("config_digest", "sha256:d"),
    ("kind", "rollback"),
]


def test_the_hash_is_the_sha256_of_the_canonical_json() -> None:
    canonical = (
        '{"artifacts":["sha256:a","sha256:b"],"config_digest":"sha256:c","from":["dev","staging"],'
        '"kind":"normal","pipeline_version":7,"service":"parcel","to":"production"}'
    )
    expected = hashlib.sha256(canonical.encode()).hexdigest()
    assert content_hash(CONTENT) == f"sha256:{expected}"


@pytest.mark.parametrize(("field", "value"), CHANGES)
def test_every_field_changes_the_hash_and_is_named(field: str, value: Any) -> None:
    changed = replace(CONTENT, **{field: value})
    named = {"upstream": "from"}.get(field, field)
    assert content_hash(changed) != content_hash(CONTENT)
    assert differing_fields(content_fields(CONTENT), content_fields(changed)) == (named,)


def test_a_field_only_one_side_has_differs() -> None:
    assert differing_fields({"a": 1}, {"a": 1, "b": None}) == ("b",)


def test_the_order_of_keys_does_not_change_the_config_digest() -> None:
    assert config_digest([{"a": 1, "b": 2}]) == config_digest([{"b": 2, "a": 1}])


@pytest.mark.parametrize("value", [object(), float("nan"), {1: "a"}, 2**60])
def test_what_is_not_plain_json_is_refused_in_a_sentence(value: object) -> None:
    with pytest.raises(InputError, match="nothing was approved"):
        config_digest([value])
