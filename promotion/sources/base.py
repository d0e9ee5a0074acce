"""What a source takes and gives: a delivery in, facts and notes out. Pure: no database, no clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Protocol

from promotion.exceptions import ThroughlineError

from .times import format_time

FINAL_RESULTS = frozenset({"succeeded", "failed", "cancelled", "rolled_back", "removed"})
RUN_RESULTS = frozenset({"queued", "started"}) | FINAL_RESULTS
RESULTS: dict[str, frozenset[str]] = {
    "build": RUN_RESULTS,
    "deployment": RUN_RESULTS,
    "incident": frozenset({"opened", "resolved"}),
    "approval": frozenset({"approved", "rejected"}),
    "evidence": frozenset({"passed", "failed"}),
}
KINDS = (
    "build",
    "artifact",
    "evidence",
    "deployment",
    "incident",
    "observation",
    "approval",
    "change",
)
MECHANISMS = frozenset({"automated", "manual", "unknown"})
DEPLOYMENT_KINDS = frozenset({"normal", "hotfix", "rollback"})


class AuthenticationError(ThroughlineError):
    """The delivery does not prove that it comes from its sender; it is not taken in (401)."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a sender says is so; None means unknown, and nothing in it is guessed."""

    kind: str
    service: str | None = None
    environment: str | None = None
    target: str | None = None
    repository: str | None = None
    commit: str | None = None
    version: str | None = None
    name: str | None = None
    digest: str | None = None
    result: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    occurred_at: datetime | None = None
    external_id: str | None = None
    url: str | None = None
    actor: str | None = None
    run_id: str | None = None
    mechanism: str | None = None
    deployment_kind: str | None = None
    planned: bool | None = None
    promotion: str | None = None
    deployment: str | None = None
    severity: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def is_known_by_something(self) -> bool:
        """Whether it can be found again; the name of evidence is only its type."""
        marks = [self.external_id, self.commit, self.digest, self.version]
        if self.kind != "evidence":
            marks.append(self.name)
        return any(mark is not None for mark in marks)

    def as_json(self) -> dict[str, Any]:
        """The fact as a JSON object without what is unknown; times are RFC 3339 in UTC."""
        answer: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if value is None or (one.name == "details" and not value):
                continue
            answer[one.name] = format_time(value) if isinstance(value, datetime) else value
        return answer


@dataclass(frozen=True, slots=True)
class Normalised:
    """What one delivery became: its facts, and a sentence for everything that became nothing."""

    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()


class Headers(Mapping[str, str]):
    """HTTP headers, found in any case."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {str(name).lower(): str(value) for name, value in values.items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request exactly as it arrived; `url_secret` is the secret in its address, if it has one."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    url_secret: str = ""

    def __post_init__(self) -> None:
        headers = Headers(self.headers)
        object.__setattr__(self, "headers", headers)
        object.__setattr__(
            self, "content_type", self.content_type or headers.get("content-type", "")
        )


class Source(Protocol):
    """One tool's way of telling us what happened."""

    @property
    def kind(self) -> str:
        """The word by which senders and commands name this source."""
        ...

    @property
    def title(self) -> str:
        """The tool's name as people write it."""
        ...

    def normalise(self, delivery: Delivery) -> Normalised:
        """Turn a delivery into facts; InputError if its bytes cannot be read at all."""
        ...

    def authenticate(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Accept the delivery in the tool's own scheme, or raise AuthenticationError."""
        ...

    def delivery_id(self, delivery: Delivery) -> str | None:
        """The sender's id of this delivery, the same when it is sent again; None if it gives none."""
        ...

    def is_guessed_from(self, delivery: Delivery) -> bool:
        """Whether the headers are those this tool sends."""
        ...
