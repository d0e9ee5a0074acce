"""Who tells us of a build and of deployments: each in real payloads, signed in its own scheme, over HTTP."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import httpx

from promotion.sources.base import Delivery
from tests.factories import make_sender
from tests.parts import deliveries

SECRET = "a secret of the tests"


@dataclass(frozen=True, slots=True)
class Told:
    """The one build that is spoken of."""

    repository: str
    name: str
    commit: str
    digest: str
    tag: str
    built_at: datetime


class Teller(Protocol):
    """A kind of sender."""

    slug: str

    def tell_build(self, told: Told) -> list[Delivery]:
        """That it was built and published."""
        ...

    def tell_deployment(self, told: Told, environment: str, at: datetime) -> list[Delivery]:
        """That it runs there."""
        ...

    def sign(self, delivery: Delivery) -> dict[str, str]:
        """The headers with which it comes."""
        ...


class GitHub:
    """Workflows, packages and deployments; deployments name a commit and no digest."""

    slug = "github"

    def tell_build(self, told: Told) -> list[Delivery]:
        at = _write(told.built_at)
        return [
            deliveries.workflow_run(repository=told.repository, commit=told.commit, finished_at=at),
            deliveries.registry_package(
                repository=told.repository,
                name=told.name,
                commit=told.commit,
                digest=told.digest,
                tag=told.tag,
                at=at,
            ),
        ]

    def tell_deployment(self, told: Told, environment: str, at: datetime) -> list[Delivery]:
        number = {"dev": 1, "staging": 2, "production": 3}[environment]
        return [
            deliveries.deployment_status(
                repository=told.repository,
                commit=told.commit,
                environment=environment,
                state=state,
                at=_write(at),
                number=number,
                delivery_id=f"{environment}-{state}",
            )
            for state in ("in_progress", "success")
        ]

    def sign(self, delivery: Delivery) -> dict[str, str]:
        mark = hmac.new(SECRET.encode(), delivery.body, hashlib.sha256).hexdigest()
        return {**delivery.headers, "X-Hub-Signature-256": f"sha256={mark}"}


class CdEvents:
    """The open format; deployments name the digest."""

    slug = "cdevents"

    def tell_build(self, told: Told) -> list[Delivery]:
        image = deliveries.package_url(told.repository, told.digest, told.tag)
        at = _write(told.built_at)
        change = {"id": told.commit, "source": told.repository}
        return [
            deliveries.cdevent("build_finished", "build-7", at, "one", artifactId=image),
            deliveries.cdevent("artifact_packaged", image, at, "two", change=change),
        ]

    def tell_deployment(self, told: Told, environment: str, at: datetime) -> list[Delivery]:
        return [
            deliveries.cdevent(
                "service_deployed",
                told.name,
                _write(at),
                f"deployed-{environment}",
                environment={"id": environment},
                artifactId=deliveries.package_url(told.repository, told.digest, told.tag),
            )
        ]

    def sign(self, delivery: Delivery) -> dict[str, str]:
        identity = json.loads(delivery.body)["context"]["id"]
        stamp = str(int(datetime.now().timestamp()))  # noqa: DTZ005 - seconds since the epoch
        signed = f"{identity}.{stamp}.".encode() + delivery.body
        mark = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest())
        return {
            **delivery.headers,
            "webhook-id": identity,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{mark.decode()}",
        }


def introduce(teller: Teller) -> None:
    """Set it up as a sender."""
    make_sender(teller.slug, teller.slug, secret=SECRET)


def post(teller: Teller, delivery: Delivery, web: str) -> httpx.Response:
    """Deliver it."""
    address = f"{web}/hooks/{teller.slug}"
    return httpx.post(
        address, content=delivery.body, headers=teller.sign(delivery), trust_env=False
    )


def _write(at: datetime) -> str:
    """Whole seconds, as most senders write."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
