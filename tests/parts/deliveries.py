"""Real payloads adapted in names, times, commit, digest and tag only, so that they speak of one build."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from promotion.sources.base import Delivery

FIXTURES = Path(__file__).parent.parent / "fixtures"


def load(name: str) -> dict[str, Any]:
    """The payload as published; its origin stands in fixtures/SOURCES.md."""
    payload: dict[str, Any] = json.loads((FIXTURES / "github" / name).read_text("utf-8"))
    return payload


def deliver(event: str, payload: dict[str, Any], delivery_id: str) -> Delivery:
    """What GitHub sends."""
    headers = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery_id,
        "Content-Type": "application/json",
    }
    return Delivery(body=json.dumps(payload).encode(), headers=headers)


def workflow_run(
    *, repository: str, commit: str, finished_at: str, delivery_id: str = "run-1"
) -> Delivery:
    """A finished run of the build."""
    payload = load("workflow_run.completed.json")
    payload["workflow_run"] |= {
        "head_sha": commit,
        "updated_at": finished_at,
        "run_started_at": finished_at,
    }
    payload["repository"] |= {"full_name": repository}
    return deliver("workflow_run", payload, delivery_id)


def registry_package(
    *,
    repository: str,
    name: str,
    commit: str,
    digest: str,
    tag: str,
    at: str,
    delivery_id: str = "package-1",
) -> Delivery:
    """An image published to the registry."""
    payload = load("registry_package.published.docker.json")
    text = json.dumps(payload)
    version = payload["registry_package"]["package_version"]
    old = version["container_metadata"]["manifest"]["digest"]
    payload = json.loads(text.replace(old, digest))
    package = payload["registry_package"]
    package |= {"name": name, "namespace": repository.split("/")[0]}
    version = package["package_version"]
    version |= {"version": digest, "name": digest, "created_at": at, "updated_at": at}
    version |= {"package_url": f"ghcr.io/{repository.split('/')[0]}/{name}:{tag}"}
    version["container_metadata"]["tag"] |= {"name": tag, "digest": digest}
    version["container_metadata"]["labels"]["all_labels"] |= {
        "org.opencontainers.image.revision": commit
    }
    package |= {"created_at": at, "updated_at": at}
    payload["repository"] |= {"full_name": repository}
    return deliver("registry_package", payload, delivery_id)


def deployment_status(
    *,
    repository: str,
    commit: str,
    environment: str,
    state: str,
    at: str,
    number: int = 1,
    delivery_id: str = "deploy-1",
) -> Delivery:
    """A deployment that names a commit and no digest."""
    payload = load("deployment_status.json")
    payload["deployment"] |= {
        "sha": commit,
        "id": number,
        "environment": environment,
        "ref": commit,
    }
    payload["deployment_status"] |= {
        "state": state,
        "created_at": at,
        "updated_at": at,
        "environment": environment,
    }
    payload["repository"] |= {"full_name": repository}
    return deliver("deployment_status", payload, delivery_id)


def cdevent(name: str, subject: str, at: str, delivery_id: str, **content: Any) -> Delivery:
    """One CDEvent with its time, id and subject; of its content only what is given is changed."""
    path = FIXTURES / "cdevents" / "v0.5.1" / f"{name}.json"
    payload = json.loads(path.read_text("utf-8"))
    payload["context"] |= {"id": delivery_id, "timestamp": at}
    payload["subject"]["id"] = subject
    payload["subject"]["content"] |= content
    headers = {"Content-Type": "application/json"}
    return Delivery(body=json.dumps(payload).encode(), headers=headers)


def package_url(repository: str, digest: str, tag: str) -> str:
    """The image as package URLs name it."""
    name = repository.rpartition("/")[2]
    place = quote(f"registry.example/{repository}", safe="")
    return f"pkg:oci/{name}@{quote(digest, safe='')}?repository_url={place}&tag={tag}"
