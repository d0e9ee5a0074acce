"""Every payload there is, posted to its hook by its sender: acknowledged, processed, never broken."""

import json
from pathlib import Path

import pytest
from django.test import Client

from promotion.actions.process_event import process_event
from promotion.models import Event, Evidence
from promotion.sources.known import SOURCES
from tests.factories import NOW, make_environments, make_sender, make_service
from tests.parts.proofs import prove

pytestmark = pytest.mark.django_db
TESTS = Path(__file__).parents[1]
FIXTURES = TESTS / "fixtures"
SECRET = "correct-horse"
KIND_OF = {
    "bitbucket-server": "bitbucket",
    "devlake-webhook": "devlake",
    "docker-registry": "registry",
    "forgejo": "gitea",
    "integrity": "evidence",
    "jenkins-notification": "jenkins",
    "pelorus": "generic",
    "provenance": "evidence",
    "registry-acr": "registry",
    "registry-docker": "registry",
    "registry-ghcr": "github",
    "registry-harbor": "harbor",
    "registry-quay": "quay",
    "sbom": "evidence",
    "scan": "evidence",
    "signatures": "generic",
    "sigstore": "evidence",
    "uptimerobot": "generic",
}
# Whoever else may be sent the same: forwarders, relays, and tools that speak another's format.
ALSO = {
    "aws": ("generic",),
    "cdevents": ("cloudevents", "tekton"),
    "cloudevents": ("cdevents", "generic"),
    "devlake": ("generic",),
    "dockerhub": ("quay", "registry"),
    "evidence": ("generic", "registry"),
    "gitea": ("github",),
    "github": ("gitea", "generic"),
    "gitlab": ("generic",),
    "grafana": ("alertmanager",),
    "alertmanager": ("grafana",),
    "harbor": ("cloudevents", "registry"),
    "azure": ("registry",),
    "registry": ("harbor", "dockerhub"),
    "tekton": ("cloudevents", "cdevents"),
}
EVENT_HEADER = {"github": "X-GitHub-Event", "gitea": "X-Gitea-Event"}
DIGEST = "sha256:" + "ab" * 32


def cases():
    """Each file as its vectors send it; one without a vector as its folder and name suggest."""
    found, seen = [], set()
    for path in sorted((TESTS / "vectors" / "events").glob("*.json")):
        for case in json.loads(path.read_text("utf-8")):
            found.append((case["source"], case["file"], case["headers"]))
            seen.add(case["file"])
    for path in sorted(FIXTURES.rglob("*")):
        name = path.relative_to(FIXTURES).as_posix()
        folder = name.split("/")[0]
        if path.is_dir() or name in seen or path.name == "SOURCES.md":
            continue
        kind = KIND_OF.get(folder, "evidence" if "evidence-" in name else folder)
        if folder == "derived" and kind == folder:
            kind = path.name.split("-")[0]
        headers = {EVENT_HEADER[kind]: path.name.split(".")[0]} if kind in EVENT_HEADER else {}
        found.append((kind, name, headers))
    return found


def all_cases():
    """The same, and each once more to every other kind it fits."""
    for kind, name, headers in cases():
        for one in (kind, *ALSO.get(kind, ())):
            yield one, name, headers


CLIENT = Client(raise_request_exception=False)  # one for all: making one costs more than a request


def post(kind, body, headers):
    return CLIENT.post(
        f"/hooks/{kind}",
        body,
        content_type="application/json",
        headers={**prove(kind, body, SECRET), **headers},
    )


@pytest.fixture
def catalog():
    make_service("shop")
    make_environments()
    for kind in SOURCES:
        make_sender(kind, kind, secret=SECRET)


def test_every_file_is_of_a_sender_that_is_known():
    assert {kind for kind, _, _ in all_cases()} <= set(SOURCES)
    files = {one for one in FIXTURES.rglob("*") if one.is_file() and one.name != "SOURCES.md"}
    assert {FIXTURES / name for _, name, _ in cases()} == files
    assert len(files) > 450


def test_every_file_says_where_it_comes_from():
    said = (FIXTURES / "SOURCES.md").read_text("utf-8")
    for _, name, _ in cases():
        assert name.startswith("integrity/") or f"| {name} |" in said, name


def test_every_payload_is_acknowledged_and_processed_whatever_it_says(catalog):
    for kind, name, headers in all_cases():
        answer = post(kind, (FIXTURES / name).read_bytes(), headers)
        assert answer.status_code == 202, (name, answer.content)
        number = answer.json()["event"]
        process_event(number, at=NOW)
        event = Event.objects.get(pk=number)
        assert event.state not in {Event.State.ERRORED, Event.State.RECEIVED}, (name, event.summary)
        assert event.summary, name
        broken = [one["note"] for one in event.outcome if "could not be recorded" in one["note"]]
        assert broken == [], name


def test_every_payload_without_its_proof_is_refused_and_not_kept(catalog):
    for kind, name, headers in cases():
        answer = CLIENT.post(
            f"/hooks/{kind}",
            (FIXTURES / name).read_bytes(),
            content_type="application/json",
            headers=headers,
        )
        assert answer.status_code == 401, name
        assert "was not taken in" in answer.json()["detail"]
    assert not Event.objects.exists()


def test_every_evidence_file_is_kept_with_what_it_counts(catalog):
    for kind, name, headers in cases():
        if kind == "evidence":
            body = (FIXTURES / name).read_bytes()
            answer = post(kind, body, {**headers, "X-Throughline-Digest": DIGEST})
            process_event(answer.json()["event"], at=NOW)
    types = set(Evidence.objects.values_list("type", flat=True))
    assert types == {"provenance", "signature", "sbom", "vex", "scan", "test", "attestation"}
    assert not Evidence.objects.filter(is_verified=True).exists()
    junit = Evidence.objects.get(type="test", digest=DIGEST)
    assert (junit.title, junit.result) == ("shop-api", "failed")
    assert junit.details["tests"] == {"tests": 4, "failures": 1, "errors": 0, "skipped": 1}
