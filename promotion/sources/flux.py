"""Flux notification controller: generic and generic-hmac providers.

Format: fluxcd.io, "Events". A revision is `main@sha1:<sha>`, before 2.0 `main/<sha>`, of an OCI
source `v1@sha256:<digest>`, of a chart its version.
"""

import re
from typing import NamedTuple

from .authentication import AnyOf, HexSignature
from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import clean_commit, clean_digest, clean_version, tag_of_ref
from .reading import Part
from .sender import Collector, Sender

_CHART_VERSION = re.compile(r"v?\d+\.\d+.*", re.ASCII)


class Revision(NamedTuple):
    """What a revision names."""

    commit: str | None
    version: str | None
    digest: str | None


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    involved = body["involvedObject"]
    kind, reason = involved["kind"].text() or "", body["reason"].text() or ""
    if kind not in {"Kustomization", "HelmRelease"}:
        return collector.leave_out(f"{kind} {reason}".strip() or None)
    if body["severity"].word() == "error":
        result = "failed"
    elif body["severity"].word() == "info" and reason.endswith("Succeeded"):
        result = "succeeded"
    else:
        return collector.leave_out(f"{kind} {reason}".strip(), "nothing has ended by it")
    revision = read_revision(_revision(body["metadata"]))
    at = body["timestamp"].time()
    place = {
        "namespace": involved["namespace"].text(),
        "object": kind,
        "reason": reason,
        "message": body["message"].text(),
    }
    collector.add(
        Fact(
            kind="deployment",
            service=involved["name"].text(),
            name=involved["name"].text(),
            commit=revision.commit,
            version=revision.version,
            digest=revision.digest,
            result=result,
            finished_at=at,
            occurred_at=at,
            mechanism="automated",
            deployment_kind="rollback" if reason.startswith("Rollback") else None,
            details={key: value for key, value in place.items() if value},
        )
    )
    return None


def _revision(metadata: Part) -> str | None:
    keys = [key for key in metadata.names() if key == "revision" or key.endswith("/revision")]
    return next((text for key in keys if (text := metadata[key].text())), None)


def read_revision(text: str | None) -> Revision:
    """Commit, version or digest of a Flux revision."""
    if text is None:
        return Revision(None, None, None)
    named, at, rest = text.rpartition("@")
    if digest := clean_digest(rest):
        return Revision(None, clean_version(named), digest)
    if at or "/" in text or ":" in text:
        return Revision(clean_commit(rest), tag_of_ref(named), None)
    if _CHART_VERSION.fullmatch(text):
        return Revision(None, clean_version(text), None)
    return Revision(clean_commit(text), None, None)


SOURCE = Sender(
    kind="flux",
    title="Flux",
    read=_read,
    scheme=AnyOf((HexSignature("X-Signature"), SharedSecret())),
    marks=("Gotk-Component",),
)
