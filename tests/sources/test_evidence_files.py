"""What evidence files say beyond what their vectors show."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from promotion.exceptions import InputError
from promotion.sources.base import Delivery, Fact
from promotion.sources.evidence import add_given
from promotion.sources.known import SOURCES

FIXTURES = Path(__file__).parents[1] / "fixtures"
DIGEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32
COMMIT = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"
SOURCE = SOURCES["evidence"]


def read(body: Any, **given: str) -> tuple[list[Fact], tuple[str, ...]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {f"X-Throughline-{name.title()}": text for name, text in given.items()}
    found = SOURCE.normalise(Delivery(raw, headers))
    return list(found.facts), found.notes


def only(body: Any, **given: str) -> Fact:
    (fact,), _ = read(body, **given)
    return fact


def statement(predicate_type: str, predicate: Any, *subjects: Any) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": list(subjects) or [{"name": "shop", "digest": {"sha256": DIGEST[7:]}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    }


def envelope(body: Any) -> dict[str, Any]:
    payload = base64.b64encode(json.dumps(body).encode()).decode()
    kind = "application/vnd.in-toto+json"
    return {"payloadType": kind, "payload": payload, "signatures": [{"sig": "AA=="}]}


def test_provenance_tells_builder_source_and_commit() -> None:
    body = statement(
        "https://slsa.dev/provenance/v1",
        {
            "buildDefinition": {
                "buildType": "https://example.com/build",
                "externalParameters": {"workflow": {"repository": "https://git.example.com/shop"}},
                "resolvedDependencies": [
                    {"uri": "git+https://git.example.com/base", "digest": {"gitCommit": "0" * 40}},
                    {
                        "uri": "git+https://git.example.com/shop@refs/heads/main",
                        "digest": {"gitCommit": COMMIT},
                    },
                ],
            },
            "runDetails": {
                "builder": {"id": "https://example.com/builder"},
                "metadata": {"finishedOn": "2026-03-02T09:00:00Z", "invocationId": "run-1"},
            },
        },
    )
    fact = only(envelope(body))
    assert fact.name == "provenance"
    assert fact.external_id == "run-1"
    assert fact.details["builder"] == "https://example.com/builder"
    assert fact.details["source_commit"] == COMMIT
    assert fact.details["signatures"] == 1


def test_a_statement_of_several_subjects_becomes_one_fact_each() -> None:
    subjects = [{"name": one[7:9], "digest": {"sha256": one[7:]}} for one in (DIGEST, OTHER)]
    facts, notes = read(statement("https://slsa.dev/provenance/v1", {}, *subjects))
    assert [fact.digest for fact in facts] == [DIGEST, OTHER]
    assert notes == ()


def test_a_digest_given_beside_a_statement_never_replaces_its_subject() -> None:
    body = statement("https://slsa.dev/provenance/v1", {})
    assert only(body, digest=OTHER).digest == DIGEST
    unknown = statement("https://slsa.dev/provenance/v1", {}, {"digest": {"sha512": "ab" * 64}})
    assert read(unknown, digest=OTHER)[0] == []


def test_a_digest_given_beside_a_report_of_another_image_is_told_and_not_used() -> None:
    body = {"SchemaVersion": 2, "ArtifactName": f"registry.example.com/shop@{DIGEST}"}
    facts, notes = read(body, digest=OTHER)
    assert [fact.digest for fact in facts] == [DIGEST]
    assert "not about the digest given" in notes[0]


@pytest.mark.parametrize(
    ("kind", "predicate", "name", "result"),
    [
        (
            "https://slsa.dev/verification_summary/v1",
            {"verificationResult": "FAILED"},
            "quality_gate",
            "failed",
        ),
        ("https://in-toto.io/attestation/test-result/v0.1", {"result": "WARNED"}, "test", None),
        ("https://in-toto.io/attestation/vulns/v0.2", {"scanner": {"result": [{}]}}, "scan", None),
        ("https://cyclonedx.org/bom", {"bomFormat": "CycloneDX", "components": [{}]}, "sbom", None),
        ("https://spdx.dev/Document", {"spdxVersion": "SPDX-2.3", "packages": [{}]}, "sbom", None),
        ("https://example.com/own/v1", {}, "attestation", None),
    ],
)
def test_each_kind_of_predicate_becomes_its_type_of_evidence(
    kind: str, predicate: Any, name: str, result: str | None
) -> None:
    fact = only(envelope(statement(kind, predicate)))
    assert (fact.name, fact.result, fact.digest) == (name, result, DIGEST)
    assert fact.details["predicate_type"] == kind


@pytest.mark.parametrize(
    ("component", "digest"),
    [
        ({"purl": f"pkg:oci/shop@sha256%3A{'ab' * 32}?tag=1"}, DIGEST),
        ({"version": DIGEST}, DIGEST),
        (
            {"properties": [{"name": "aquasecurity:trivy:RepoDigest", "value": f"a/b@{DIGEST}"}]},
            DIGEST,
        ),
        ({"hashes": [{"alg": "SHA-256", "content": "AB" * 32}]}, DIGEST),
        ({"hashes": [{"alg": "SHA-512", "content": "ab" * 32}]}, None),
        ({"hashes": [{"alg": "SHA-256", "content": "ab"}]}, None),
    ],
)
def test_a_bill_of_materials_says_its_digest_in_many_places(
    component: dict[str, Any], digest: str | None
) -> None:
    body = {"bomFormat": "CycloneDX", "metadata": {"component": component}, "components": []}
    facts, notes = read(body)
    assert [fact.digest for fact in facts] == ([digest] if digest else [])
    assert bool(notes) is (digest is None)


def sarif(*results: Any, **run: Any) -> dict[str, Any]:
    rules = [{"id": "R1", "defaultConfiguration": {"level": "error"}}, {"id": "R2"}]
    driver = {"name": "Linter", "rules": rules}
    return {
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": list(results)} | run],
    }


@pytest.mark.parametrize(
    ("log", "result"),
    [
        (sarif(), "passed"),
        (sarif({"ruleId": "R2"}), "passed"),
        (sarif({"ruleId": "R1"}), "failed"),
        (sarif({"ruleIndex": 0}), "failed"),
        (sarif({"ruleId": "R1", "level": "note"}), "passed"),
        (sarif({"level": "error", "kind": "pass"}), "passed"),
        (sarif({"level": "error", "baselineState": "absent"}), "passed"),
        (sarif({"level": "error", "suppressions": [{"kind": "inSource"}]}), "passed"),
        (sarif({"level": "error", "suppressions": [{"status": "rejected"}]}), "failed"),
        (sarif(invocations=[{"executionSuccessful": False}]), None),
        (sarif(results=None), None),
    ],
)
def test_a_log_of_findings_fails_by_its_errors_alone(log: Any, result: str | None) -> None:
    assert only(log, digest=DIGEST).result == result


def test_a_log_of_findings_may_name_its_commit_itself() -> None:
    log = sarif(versionControlProvenance=[{"revisionId": COMMIT}])
    assert only(log).commit == COMMIT


@pytest.mark.parametrize(
    ("xml", "result"),
    [
        (b"<testsuite><testcase/></testsuite>", "passed"),
        (
            b"<testsuites><testsuite><testcase><error/></testcase></testsuite></testsuites>",
            "failed",
        ),
        (b"<testsuite><testcase><skipped/></testcase></testsuite>", None),
        (b"<testsuite/>", None),
    ],
)
def test_a_test_report_passes_only_where_something_ran(xml: bytes, result: str | None) -> None:
    assert only(xml, digest=DIGEST).result == result


def test_a_case_that_fails_twice_counts_once() -> None:
    xml = b"<testsuite><testcase><failure/><error/><failure/></testcase><testcase/></testsuite>"
    tests = only(xml, digest=DIGEST).details["tests"]
    assert tests == {"tests": 2, "failures": 1, "errors": 0, "skipped": 0}


@pytest.mark.parametrize(
    ("xml", "why"),
    [
        (b'<!DOCTYPE t [<!ENTITY a "b">]><testsuite name="&a;"/>', "document type"),
        (b'<!DOCTYPE t SYSTEM "file:///etc/passwd"><testsuite/>', "document type"),
        (b"<a>" * 100_000, "nested too deep"),
        (b"<testsuite>&unknown;</testsuite>", "not XML"),
        (b"<testsuite>", "not XML"),
        (b'<?xml version="1.0" encoding="no-such"?><testsuite/>', "not XML"),
        (b"<html/>", "neither"),
    ],
)
def test_xml_that_is_not_taken_says_why(xml: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read(xml, digest=DIGEST)


def test_xml_in_utf_16_is_read() -> None:
    xml = '<?xml version="1.0" encoding="utf-16"?><testsuite><testcase/></testsuite>'
    assert only(xml.encode("utf-16"), digest=DIGEST).result == "passed"


def test_a_file_in_no_known_format_says_which_there_are() -> None:
    facts, notes = read({"hello": 1}, digest=DIGEST)
    assert facts == []
    assert "CycloneDX" in notes[0]


def test_a_digest_given_that_is_none_is_told() -> None:
    facts, notes = read(sarif(), digest="latest")
    assert facts == []
    assert notes[0] == "The digest given is not sha256: and 64 hex digits; it was not used."


def test_the_same_file_for_two_digests_is_two_deliveries() -> None:
    plain = Delivery(b"<testsuite/>")
    assert SOURCE.delivery_id(plain) is None
    ids = {SOURCE.delivery_id(add_given(plain, one, "")) for one in (DIGEST, OTHER)}
    assert len(ids) == 2


def test_two_runs_in_one_log_are_told_apart_and_the_same_again_is_the_same() -> None:
    log = {"version": "2.1.0", "runs": sarif()["runs"] * 2}
    first, again = (read(log, digest=DIGEST)[0] for _ in range(2))
    assert len({fact.external_id for fact in first}) == 2
    assert [one.external_id for one in first] == [one.external_id for one in again]


def test_texts_of_a_file_are_kept_only_as_long_as_a_page_shows() -> None:
    body = statement("https://slsa.dev/provenance/v1", {"builder": {"id": "b" * 100_000}})
    assert len(only(body).details["builder"]) == 500


def test_our_own_fact_may_carry_a_file() -> None:
    body = [
        {"kind": "evidence", "digest": DIGEST, "content": sarif({"level": "error"})},
        {"kind": "build", "external_id": "1"},
    ]
    found = SOURCES["generic"].normalise(Delivery(json.dumps(body).encode()))
    assert [(one.kind, one.name, one.result) for one in found.facts] == [
        ("evidence", "scan", "failed"),
        ("build", None, None),
    ]
    assert found.facts[0].digest == DIGEST
