"""What exactly is approved: the content of a promotion and its hash."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from promotion.exceptions import InputError


@dataclass(frozen=True, slots=True)
class Content:
    """Everything an approval is bound to."""

    service: str
    artifacts: frozenset[str]
    upstream: frozenset[str]
    to: str
    pipeline_version: int
    config_digest: str
    kind: str


def content_fields(content: Content) -> dict[str, Any]:
    """The content as the JSON object that is hashed; stored so that differences can be named."""
    return {
        "service": content.service,
        "artifacts": sorted(content.artifacts),
        "from": sorted(content.upstream),
        "to": content.to,
        "pipeline_version": content.pipeline_version,
        "config_digest": content.config_digest,
        "kind": content.kind,
    }


def content_hash(content: Content) -> str:
    """`sha256:` and the SHA-256 of the content's canonical JSON (RFC 8785)."""
    return hash_canonically(content_fields(content))


def config_digest(resolved_step_inputs: object) -> str:
    """The digest of the resolved step inputs (JSON values, secrets already left out)."""
    return hash_canonically(resolved_step_inputs)


def hash_canonically(value: Any) -> str:
    """`sha256:` and the SHA-256 of a value's canonical JSON (RFC 8785); InputError if not JSON."""
    try:
        canonical = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise InputError(
            f"The content cannot be hashed, because it is not plain JSON ({error});"
            " nothing was approved or started. Correct the pipeline's values."
        ) from error
    return f"sha256:{hashlib.sha256(canonical).hexdigest()}"


def differing_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """The sorted names of the fields whose values differ, or that only one side has."""
    missing = object()
    names = old.keys() | new.keys()
    return tuple(sorted(n for n in names if old.get(n, missing) != new.get(n, missing)))
