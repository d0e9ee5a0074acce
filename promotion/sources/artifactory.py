"""JFrog Artifactory webhooks. Payloads: jfrog.com/help, "Event types"."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .authentication import HexSignature, SharedToken
from .base import AuthenticationError, Delivery, Fact, Headers
from .cleaning import Image, clean_checksum, clean_image
from .reading import Part
from .sender import Collector, Sender

_HEADER = "X-JFrog-Event-Auth"


@dataclass(frozen=True, slots=True)
class TokenOrSignature:
    """One header for the secret as it is and, where signing is chosen, for an HMAC of the body."""

    def is_used_by(self, delivery: Delivery) -> bool:
        """Whether the header is there."""
        return _HEADER in delivery.headers

    def authenticate(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Try the forms that versions of Artifactory have used; each needs the secret."""
        signatures = (
            HexSignature(_HEADER, is_prefix_needed=False),
            HexSignature(_HEADER, prefix="sha1=", algorithm="sha1"),
        )
        for scheme in signatures:
            try:
                return scheme.authenticate(delivery, secrets, now)
            except AuthenticationError:
                continue
        return SharedToken(_HEADER).authenticate(delivery, secrets, now)


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    domain, event, data = body["domain"].word(), body["event_type"].word(), body["data"]
    if domain == "docker" and event in {"pushed", "promoted"}:
        collector.add(_artifact(data, data["image_name"].text(), data["tag"].version()))
    elif domain == "artifact" and event == "deployed":
        collector.add(_artifact(data, data["path"].text() or data["name"].text(), None))
    elif domain == "build" and event == "uploaded":
        _read_build(data, collector)
    else:
        collector.leave_out(f"{domain} {event}".strip() or None)


def _artifact(data: Part, name: str | None, version: str | None) -> Fact:
    place = data["repo_key"].text()
    return Fact(
        kind="artifact",
        name=name,
        version=version,
        digest=clean_checksum(data["sha256"].value),
        details={"repository_key": place} if place else {},
    )


def _read_build(data: Part, collector: Collector) -> None:
    """A build; of a backfill also what its build information says: commit, time and images."""
    name, number = data["build_name"].text(), data["build_number"].text()
    commit, started_at = data["vcs", 0, "revision"].commit(), data["build_started"].time()
    images = _images(data)
    ended_at = _end_of(started_at, data["duration_millis"].value)
    for image, digest in images:
        collector.add(
            Fact(
                kind="artifact",
                name=image.name,
                version=image.version,
                digest=digest,
                commit=commit,
                occurred_at=ended_at or started_at,
            )
        )
    collector.add(
        Fact(
            kind="build",
            name=name,
            commit=commit,
            # Of several images no single digest is what the build made.
            digest=images[0][1] if len(images) == 1 else None,
            started_at=started_at,
            finished_at=ended_at,
            external_id=f"{name}#{number}" if name and number else None,
        )
    )


def _images(data: Part) -> list[tuple[Image, str]]:
    """The images among the modules: called image:tag, and with a manifest, whose checksum is the digest."""
    found = []
    for module in data["modules"]:
        for one in module["artifacts"]:
            is_manifest = one["name"].word() in {"manifest.json", "list.manifest.json"}
            digest = clean_checksum(one["sha256"].value) if is_manifest else None
            if digest:
                found.append((clean_image(module["id"].value), digest))
    return found


def _end_of(started_at: datetime | None, milliseconds: object) -> datetime | None:
    if started_at is None or not isinstance(milliseconds, int):
        return None
    try:
        return started_at + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


SOURCE = Sender(
    kind="artifactory",
    title="Artifactory",
    read=_read,
    scheme=TokenOrSignature(),
    marks=(_HEADER,),
)
