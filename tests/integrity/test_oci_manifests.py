"""Manifests: what they name, and which are refused."""

import json
from typing import Any

import pytest

from promotion.integrity.oci.errors import UnsupportedManifestError
from promotion.integrity.oci.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    LARGEST_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    parse_manifest,
)

A, B, C = ("sha256:" + letter * 64 for letter in "abc")


def describe(digest: str, media_type: str = "application/x", size: object = 3) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size}


IMAGE: dict[str, Any] = {
    "schemaVersion": 2,
    "config": describe(A, "application/vnd.example.config"),
    "layers": [describe(B)],
}
INDEX: dict[str, Any] = {"schemaVersion": 2, "manifests": [describe(A, OCI_MANIFEST)]}


def encode(document: object) -> bytes:
    return json.dumps(document).encode()


def test_an_image_names_its_config_its_layers_and_its_subject() -> None:
    manifest = parse_manifest(encode(IMAGE | {"subject": describe(C)}))
    assert [blob.digest for blob in manifest.blobs] == [A, B]
    assert manifest.subject is not None
    assert manifest.subject.digest == C
    assert manifest.media_type == OCI_MANIFEST
    assert not manifest.is_index


def test_the_kind_of_an_artifact_is_its_artifact_type_or_else_its_config() -> None:
    assert parse_manifest(encode(IMAGE)).artifact_type == "application/vnd.example.config"
    assert parse_manifest(encode(IMAGE | {"artifactType": "a/b"})).artifact_type == "a/b"


def test_an_index_may_name_manifests_and_blobs() -> None:
    manifest = parse_manifest(encode(INDEX | {"manifests": [*INDEX["manifests"], describe(B)]}))
    assert [child.digest for child in manifest.children] == [A]
    assert [blob.digest for blob in manifest.blobs] == [B]


@pytest.mark.parametrize(
    ("document", "sent", "kind"),
    [
        (IMAGE, "", OCI_MANIFEST),
        (IMAGE, DOCKER_MANIFEST, DOCKER_MANIFEST),
        (IMAGE | {"mediaType": DOCKER_MANIFEST}, "application/json", DOCKER_MANIFEST),
        (INDEX, f"{DOCKER_LIST}; charset=utf-8", DOCKER_LIST),
        (INDEX, "application/octet-stream", OCI_INDEX),
    ],
)
def test_the_media_type_is_the_written_one_or_the_sent_one_or_that_of_its_form(
    document: dict[str, Any], sent: str, kind: str
) -> None:
    assert parse_manifest(encode(document), sent).media_type == kind


@pytest.mark.parametrize(
    ("raw", "sent", "why"),
    [
        (encode({"schemaVersion": 1, "fsLayers": []}), "", "old schema 1"),
        (encode(IMAGE | {"schemaVersion": 3}), "", "no schemaVersion 2"),
        (encode(IMAGE | INDEX), "", "neither clearly"),
        (encode({"schemaVersion": 2}), "", "neither clearly"),
        (encode(IMAGE | {"mediaType": OCI_INDEX}), "", "not built like one"),
        (encode(IMAGE), OCI_INDEX, "not built like one"),
        (encode(IMAGE | {"mediaType": OCI_MANIFEST}), DOCKER_MANIFEST, "was sent as"),
        (encode(IMAGE | {"mediaType": "a/b"}), "", "not supported"),
        (encode(IMAGE | {"mediaType": ["a"]}), "", "not supported"),
        (encode(IMAGE | {"layers": {}}), "", "no list"),
        (encode(IMAGE | {"layers": ["x"]}), "", "without a descriptor"),
        (encode(IMAGE | {"config": None}), "", "without a descriptor"),
        (encode(IMAGE | {"layers": [describe("sha512:" + "a" * 128)]}), "", "not a sha256"),
        (encode(IMAGE | {"layers": [describe(B, size=-1)]}), "", "no valid size"),
        (encode(IMAGE | {"layers": [describe(B, size=True)]}), "", "no valid size"),
        (encode(IMAGE | {"layers": [describe(B, "")]}), "", "no media type"),
        (b"[]", "", "not a JSON object"),
        (b"\xff", "", "is not JSON"),
        (b"[" * 100_000, "", "is not JSON"),
        (b" " * (LARGEST_MANIFEST + 1), "", "more than 4194304"),
    ],
)
def test_a_manifest_that_could_be_taken_for_something_else_is_refused(
    raw: bytes, sent: str, why: str
) -> None:
    with pytest.raises(UnsupportedManifestError, match=why):
        parse_manifest(raw, sent)
