"""Which sample payload is sent by which kind of sender, and with which headers."""

import json
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
FIXTURES = TESTS / "fixtures"
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
Sample = tuple[str, str, dict[str, str]]  # kind, file below the fixtures, headers
EVENT_HEADER = {"github": "X-GitHub-Event", "gitea": "X-Gitea-Event"}


def cases() -> list[Sample]:
    """Each file as its vectors send it; one without a vector as its folder and name suggest."""
    found: list[Sample] = []
    seen: set[str] = set()
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


def all_cases() -> Iterator[Sample]:
    """The same, and each once more to every other kind it fits."""
    for kind, name, headers in cases():
        for one in (kind, *ALSO.get(kind, ())):
            yield one, name, headers
