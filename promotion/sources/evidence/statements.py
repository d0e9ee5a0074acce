"""Statements about subjects: in-toto, in DSSE envelopes and Sigstore bundles; and signatures.

Formats: in-toto Attestation Framework 1.0 and 0.1; slsa.dev provenance 0.1 to 1.0; DSSE 1.0;
the Sigstore bundle 0.1 to 0.3. Nothing is verified here: that is told apart, by `is_verified`.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from promotion.sources.cleaning import best_commit, clean_checksum
from promotion.sources.reading import Part
from promotion.sources.sender import Collector

from .finding import MOST_SUBJECTS, Finding, Given, keep
from .sboms import read_cyclonedx, read_spdx

_STATEMENT = "https://in-toto.io/statement/"


def is_statement(part: Part) -> bool:
    """Whether it is a statement, or something that carries one."""
    return (
        part["_type"].word().startswith(_STATEMENT)
        or (part["payloadType"].text() is not None and part["payload"].text() is not None)
        or part["dsseEnvelope"].is_object
        or part["messageSignature"].is_object
        or part["attestations"].is_list
        or part["provenance_summary", "provenance"].is_list
        or _is_predicate(part)
    )


def read_statement(part: Part, given: Given, collector: Collector) -> None:
    """Reads what a part says, or each of the things that it carries."""
    if part["_type"].word().startswith(_STATEMENT):
        return _read(part, given, collector)
    if _is_predicate(part):
        return keep(_provenance(part, "a predicate alone"), given, collector)
    if part["messageSignature"].is_object:
        return _read_signature(part, given, collector)
    for envelope, signed_at in _envelopes(part):
        statement = _open(envelope)
        if statement["_type"].word().startswith(_STATEMENT):
            _read(statement, given, collector, envelope, signed_at)
        else:
            collector.note("An envelope holds no in-toto statement; it became nothing.")
    return None


def _envelopes(part: Part) -> Iterator[tuple[Part, Part]]:
    """DSSE envelopes, and when a transparency log took them in, of all that may carry some."""
    if part["payload"]:
        yield part, Part(None)
    elif part["dsseEnvelope"]:
        yield part["dsseEnvelope"], _logged_at(part)
    for one in list(part["attestations"])[:MOST_SUBJECTS]:  # npm, GitHub
        yield one["bundle", "dsseEnvelope"], _logged_at(one["bundle"])
    for one in list(part["provenance_summary", "provenance"])[:MOST_SUBJECTS]:  # Google Cloud Build
        if one["envelope"].is_object:
            yield one["envelope"], one["createTime"]


def _logged_at(bundle: Part) -> Part:
    return bundle["verificationMaterial", "tlogEntries", 0, "integratedTime"]


def _open(envelope: Part) -> Part:
    """The statement in an envelope; standard and URL-safe Base64 are both allowed (DSSE)."""
    try:
        text = (envelope["payload"].text() or "").replace("-", "+").replace("_", "/")
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        return Part(json.loads(raw, parse_constant=lambda _: None))
    except (binascii.Error, ValueError, RecursionError):
        return Part(None)


def _read(
    statement: Part,
    given: Given,
    collector: Collector,
    envelope: Part | None = None,
    signed_at: Part | None = None,
) -> None:
    kind = statement["predicateType"].text() or ""
    predicate = statement["predicate"]
    finding = _finding_of(kind, predicate)
    digests, commit = _subjects(statement, collector)
    if not digests and commit is None:
        # A statement speaks of its subjects alone: a digest given beside it cannot stand in.
        return collector.note(f"{finding.title} has no subject that is known here by its digest.")
    signed = {"signatures": len(envelope["signatures"])} if envelope else {}
    at = finding.occurred_at or (signed_at.time() if signed_at else None)
    keep(
        replace(
            finding,
            digests=digests,
            commit=finding.commit or commit,
            occurred_at=at,
            details={"predicate_type": kind[:200]} | signed | finding.details,
        ),
        Given(None, given.name),
        collector,
    )
    return None


def _subjects(statement: Part, collector: Collector) -> tuple[tuple[str, ...], str | None]:
    digests, commits = [], []
    for subject in statement["subject"]:
        digest = subject["digest"]
        if found := clean_checksum(digest["sha256"].value):
            digests.append(found)
        elif commit := best_commit(digest["gitCommit"].value, digest["sha1"].value):
            commits.append(commit)
        else:
            collector.note("A subject has neither a sha256 digest nor a commit; it was left out.")
    return tuple(digests), None if digests else next(iter(commits), None)


def _finding_of(kind: str, predicate: Part) -> Finding:
    word = kind.lower()
    for mark, read in _PREDICATES:
        if mark in word:
            return read(predicate, kind)
    named = "/".join(kind.rstrip("/").split("/")[-2:])[:60]
    return Finding("attestation", f"Attestation {named}".strip())


def _is_predicate(part: Part) -> bool:
    """SLSA provenance without the statement around it, as builders write it to be signed."""
    is_old = part["builder", "id"].text() is not None and part["buildType"].text() is not None
    is_new = part["buildDefinition", "buildType"].text() is not None
    return is_old or (is_new and part["runDetails"].is_object)


def _provenance(predicate: Part, _kind: str) -> Finding:
    """SLSA provenance: 1.0 has a build definition, those before an invocation and materials."""
    build, run = predicate["buildDefinition"], predicate["runDetails"]
    metadata = run["metadata"] or predicate["metadata"]
    source = (
        build["externalParameters", "workflow", "repository"].text()
        or build["externalParameters", "source", "uri"].text()
        or predicate["invocation", "configSource", "uri"].text()
        or predicate["recipe", "definedInMaterial"].text()
    )
    used = build["resolvedDependencies"] or predicate["materials"]
    began = metadata["startedOn"].time() or metadata["buildStartedOn"].time()
    ended = metadata["finishedOn"].time() or metadata["buildFinishedOn"].time()
    invocation = metadata["invocationId"].text() or metadata["buildInvocationId"].text()
    return Finding(
        "provenance",
        "SLSA provenance",
        occurred_at=ended or began,
        external_id=invocation,
        url=invocation,
        details={
            "builder": run["builder", "id"].text() or predicate["builder", "id"].text(),
            "build_type": build["buildType"].text() or predicate["buildType"].text(),
            "source": source,
            "source_commit": _commit_of(used, source),
            "materials": len(used),
        },
    )


def _commit_of(used: Part, source: str | None) -> str | None:
    """The commit of the source among what was used; of the only thing used, where that is one."""
    for one in list(used)[:MOST_SUBJECTS]:
        if (source and source in (one["uri"].text() or "")) or len(used) == 1:
            digest = one["digest"]
            return best_commit(digest["gitCommit"].value, digest["sha1"].value)
    return None


def _summary(predicate: Part, _kind: str) -> Finding:
    """SLSA verification summary: somebody else has verified it, and says so."""
    levels = [one.text() for one in predicate["verifiedLevels"]][:20]
    return Finding(
        "quality_gate",
        "Verification summary",
        result={"passed": "passed", "failed": "failed"}.get(predicate["verificationResult"].word()),
        occurred_at=predicate["timeVerified"].time(),
        details={
            "verifier": predicate["verifier", "id"].text(),
            "policy": predicate["policy", "uri"].text(),
            "levels": [one for one in levels if one],
        },
    )


def _tests(predicate: Part, _kind: str) -> Finding:
    """in-toto test-result: WARNED is neither a pass nor a failure, so it is no verdict."""
    lists = {"passed": "passedTests", "warned": "warnedTests", "failed": "failedTests"}
    counts: dict[str, Any] = {name: len(predicate[key]) for name, key in lists.items()}
    return Finding(
        "test",
        "Test result",
        result={"passed": "passed", "failed": "failed"}.get(predicate["result"].word()),
        url=predicate["url"].text(),
        details={"tests": counts},
    )


def _vulnerabilities(predicate: Part, _kind: str) -> Finding:
    scanner = predicate["scanner"]
    return Finding(
        "scan",
        "Vulnerability scan",
        occurred_at=predicate["metadata", "scanFinishedOn"].time(),
        details={
            "scanner": scanner["uri"].text(),
            "scanner_version": scanner["version"].text(),
            "findings": {"all": len(scanner["result"])} if scanner["result"].is_list else {},
        },
    )


def _verified_properties(predicate: Part, _kind: str) -> Finding:
    properties = [one.text() for one in predicate["properties"]][:50]
    return Finding(
        "quality_gate",
        "Verification result",
        occurred_at=predicate["timeCreated"].time(),
        details={
            "verifier": predicate["verifier", "id"].text(),
            "properties": [one for one in properties if one],
        },
    )


_PREDICATES: tuple[tuple[str, Callable[[Part, str], Finding]], ...] = (
    ("slsa.dev/provenance", _provenance),
    ("slsa.dev/verification_summary", _summary),
    ("in-toto.io/attestation/test-result", _tests),
    ("in-toto.io/attestation/vulns", _vulnerabilities),
    ("cosign.sigstore.dev/attestation/vuln", _vulnerabilities),
    ("in-toto.io/attestation/svr", _verified_properties),
    ("cyclonedx.org/bom", lambda predicate, _: read_cyclonedx(predicate)),
    ("spdx.dev/document", lambda predicate, _: read_spdx(predicate)),
)


def _read_signature(bundle: Part, given: Given, collector: Collector) -> None:
    """A Sigstore bundle over a file's digest."""
    said = bundle["messageSignature", "messageDigest"]
    digest = None
    if said["algorithm"].word() == "sha2_256":
        try:
            raw = base64.b64decode(said["digest"].text() or "", validate=True)
            digest = clean_checksum(raw.hex())
        except (binascii.Error, ValueError):
            digest = None
    if digest is None:
        return collector.note("The bundle signs no sha256 digest; it became nothing.")
    log = bundle["verificationMaterial", "tlogEntries", 0]
    keep(
        Finding(
            "signature",
            "Sigstore bundle",
            digests=(digest,),
            occurred_at=log["integratedTime"].time(),
            external_id=log["logIndex"].text(),
            details={"log_index": log["logIndex"].text(), "media_type": bundle["mediaType"].text()},
        ),
        Given(None, given.name),
        collector,
    )
    return None
