"""Deliveries as the senders of Meridian Freight make them, signed in each sender's own scheme."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from demo.people import ADDRESS_DOMAIN, BY_USERNAME
from promotion.integrity.webhooks import sign_message
from promotion.models import Sender
from promotion.sources.base import Delivery
from promotion.sources.times import format_time

HOST = "https://github.example"
BOT = "dependency-bot"
Body = dict[str, Any] | list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Authored:
    """A commit as a push tells of it; `author` is a user name, or the bot."""

    sha: str
    author: str
    title: str
    at: datetime


def number_of(*parts: str) -> int:
    """A whole number that belongs to the parts alone, as senders number their things."""
    return int.from_bytes(hashlib.sha256(" ".join(parts).encode()).digest()[:5])


def write_push(repository: str, before: str, commits: Sequence[Authored]) -> dict[str, Any]:
    """GitHub's push of some commits to main."""
    told = [_write_commit(repository, one) for one in commits]
    last = commits[-1]
    return {
        "ref": "refs/heads/main",
        "before": before,
        "after": last.sha,
        "created": False,
        "deleted": False,
        "forced": False,
        "compare": f"{HOST}/{repository}/compare/{before[:12]}...{last.sha[:12]}",
        "commits": told,
        "head_commit": told[-1],
        "repository": _repository(repository) | {"pushed_at": int(last.at.timestamp())},
        "pusher": {"name": last.author},
        "sender": {"login": last.author, "type": "User"},
    }


def write_workflow_run(
    repository: str, commit: Authored, began_at: datetime, ended_at: datetime, conclusion: str
) -> dict[str, Any]:
    """GitHub's word that the run which builds the image has ended."""
    number = number_of(repository, commit.sha, began_at.isoformat())
    return {
        "action": "completed",
        "workflow_run": {
            "id": number,
            "name": "build",
            "head_branch": "main",
            "head_sha": commit.sha,
            "run_number": number % 10_000,
            "run_attempt": 1,
            "event": "push",
            "status": "completed",
            "conclusion": conclusion,
            "run_started_at": format_time(began_at),
            "created_at": format_time(began_at),
            "updated_at": format_time(ended_at),
            "html_url": f"{HOST}/{repository}/actions/runs/{number}",
            "actor": {"login": commit.author},
            "triggering_actor": {"login": commit.author},
            "head_commit": {"id": commit.sha, "message": commit.title},
        },
        "workflow": {"name": "build"},
        "repository": _repository(repository),
        "sender": {"login": commit.author, "type": "User"},
    }


def write_package(
    repository: str, version: str, digest: str, commit: str, at: datetime
) -> dict[str, Any]:
    """GitHub's word that an image was pushed to its registry under a tag."""
    name = repository.rpartition("/")[2]
    return {
        "action": "published",
        "registry_package": {
            "id": number_of(repository),
            "name": name,
            "namespace": repository.partition("/")[0],
            "package_type": "CONTAINER",
            "owner": {"login": repository.partition("/")[0], "type": "Organization"},
            "created_at": format_time(at),
            "updated_at": format_time(at),
            "package_version": {
                "id": number_of(digest),
                "version": digest,
                "name": digest,
                "updated_at": format_time(at),
                "package_url": f"ghcr.example/{repository}:{version}",
                "html_url": f"{HOST}/orgs/{repository.partition('/')[0]}/packages/{name}",
                "container_metadata": {
                    "tag": {"name": version, "digest": digest},
                    "labels": {"all_labels": {"org.opencontainers.image.revision": commit}},
                    "manifest": {
                        "digest": digest,
                        "media_type": "application/vnd.oci.image.index.v1+json",
                    },
                },
            },
        },
        "repository": _repository(repository),
        "sender": {"login": "github-actions[bot]", "type": "Bot"},
    }


def write_deployment_status(
    repository: str, environment: str, state: str, said: dict[str, str], commit: str, at: datetime
) -> dict[str, Any]:
    """GitHub's word on a deployment made by a workflow; `said` is the deployment's own payload."""
    number = number_of(repository, environment, commit, said["digest"], at.isoformat())
    bot = {"login": "github-actions[bot]", "type": "Bot"}
    return {
        "action": "created",
        "deployment_status": {
            "id": number + 1,
            "state": state,
            "environment": environment,
            "created_at": format_time(at),
            "updated_at": format_time(at),
            "log_url": f"{HOST}/{repository}/actions/runs/{number}",
        },
        "deployment": {
            "id": number,
            "sha": commit,
            "ref": "main",
            "task": "deploy",
            "payload": said,
            "environment": environment,
            "creator": bot,
            "created_at": format_time(at),
        },
        "workflow_run": {
            "id": number,
            "name": "deploy",
            "html_url": f"{HOST}/{repository}/actions",
        },
        "repository": _repository(repository),
        "sender": bot,
    }


def write_cdevent(
    service: str, environment: str, version: str, digest: str, at: datetime
) -> dict[str, Any]:
    """A CDEvent that a service was deployed."""
    place = quote(f"ghcr.example/meridian/{service}", safe="")
    source = "/delivery/customs"
    return {
        "context": {
            "version": "0.4.1",
            "id": str(number_of(service, environment, digest, at.isoformat())),
            "source": source,
            "type": "dev.cdevents.service.deployed.0.2.0",
            "timestamp": format_time(at),
        },
        "subject": {
            "id": service,
            "source": source,
            "type": "service",
            "content": {
                "environment": {"id": environment, "source": source},
                "artifactId": f"pkg:oci/{service}@{quote(digest)}?repository_url={place}&tag={version}",
            },
        },
    }


def write_pagerduty(
    service: str, title: str, event: str, incident: str, at: datetime
) -> dict[str, Any]:
    """PagerDuty's word on an incident; it names no environment."""
    return {
        "event": {
            "id": f"{incident}-{event}",
            "event_type": f"incident.{event}",
            "resource_type": "incident",
            "occurred_at": format_time(at),
            "agent": {"summary": "Monitoring", "type": "service_reference"},
            "data": {
                "id": incident,
                "type": "incident",
                "title": title,
                "urgency": "low",
                "html_url": f"https://pagerduty.example/incidents/{incident}",
                "service": {"summary": service, "type": "service_reference"},
            },
        }
    }


def sign(sender: Sender, body: Body | bytes, at: datetime, *, event: str = "") -> Delivery:
    """The delivery with the headers that prove it is the sender's, as sent at that time.

    `event` is GitHub's name of the kind of event.
    """
    raw = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json"}
    identity = hashlib.sha256(raw + event.encode() + at.isoformat().encode()).hexdigest()[:32]
    if sender.kind in {"github", "pagerduty"}:
        signature = hmac.new(sender.secret.encode(), raw, hashlib.sha256).hexdigest()
        headers |= (
            {
                "X-GitHub-Event": event,
                "X-GitHub-Delivery": identity,
                "X-Hub-Signature-256": f"sha256={signature}",
            }
            if sender.kind == "github"
            else {"X-PagerDuty-Signature": f"v1={signature}"}
        )
    else:
        headers |= sign_message(sender.secret.encode(), f"msg_{identity}", at, raw)
    return Delivery(body=raw, headers=headers)


def _repository(full_name: str) -> dict[str, Any]:
    return {
        "id": number_of(full_name),
        "name": full_name.rpartition("/")[2],
        "full_name": full_name,
        "private": True,
        "html_url": f"{HOST}/{full_name}",
        "default_branch": "main",
    }


def _write_commit(repository: str, one: Authored) -> dict[str, Any]:
    person = BY_USERNAME.get(one.author)
    author = {
        "name": person.name if person else "dependency bot",
        "email": person.address if person else f"{BOT}@{ADDRESS_DOMAIN}",
        "username": one.author,
    }
    return {
        "id": one.sha,
        "message": one.title,
        "timestamp": format_time(one.at),
        "url": f"{HOST}/{repository}/commit/{one.sha}",
        "author": author,
        "committer": author,
    }
