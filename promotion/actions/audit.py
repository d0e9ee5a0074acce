"""The one way onto the audit record, and the sealing of it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import rfc8785
from django.db import IntegrityError, models, transaction

from promotion.models import AuditEntry, AuditSeal, Token, User

OURSELVES = "Throughline"
GENESIS = "0" * 64
# Through which token the person of this request acts; every entry of theirs names it.
_token: ContextVar[Token | None] = ContextVar("token", default=None)


@contextmanager
def acting_through_tokens() -> Iterator[None]:
    """The length of one request: whatever token it names is forgotten at its end."""
    before = _token.set(None)
    try:
        yield
    finally:
        _token.reset(before)


def name_token(token: Token) -> None:
    """From here to the end of the request its person's acts are recorded as done through it."""
    _token.set(token)


def record(
    action: str,
    subject: models.Model,
    *,
    actor: User | None,
    at: datetime,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> AuditEntry:
    """Writes one entry; call it inside the transaction of the act, so that both stand or fall together.

    Where the person acts through a token of the API the details name it, as `token`.
    """
    token = _token.get()
    if token is not None and actor is not None and token.user_id == actor.pk:
        named = {"id": token.pk, "name": token.name, "prefix": token.prefix}
        details = {**(details or {}), "token": named}
    facts: dict[str, Any] = {
        "at": at.astimezone(UTC).isoformat(),
        "actor": actor.get_username() if actor else "",
        "actor_name": actor.name if actor else OURSELVES,
        "action": action,
        "subject_type": subject._meta.model_name or "",
        "subject_id": str(subject.pk),
        "subject_label": str(subject)[:300],
        "reason": reason[:1000],
        "details": details or {},
    }
    columns = {name: value for name, value in facts.items() if name not in {"at", "actor"}}
    return AuditEntry.objects.create(
        at=at, actor=actor, payload=rfc8785.dumps(facts).decode(), **columns
    )


def link_hash(previous: str, payload: str) -> str:
    """SHA-256 over the hash before and the entry's canonical JSON."""
    return hashlib.sha256(f"{previous}\n{payload}".encode()).hexdigest()


def seal_entries(*, limit: int = 5000) -> int:
    """Chains the entries written since the last time; returns how many. Writers never wait for it.

    Of two that seal at once one finds its places taken and leaves the work to the other.
    """
    try:
        with transaction.atomic():
            return _seal(limit)
    except IntegrityError:
        return 0


def _seal(limit: int) -> int:
    last = AuditSeal.objects.select_for_update().order_by("-sequence").first()
    sequence, previous = (last.sequence, last.hash) if last else (0, GENESIS)
    seals = []
    for entry in AuditEntry.objects.filter(seal=None).order_by("pk")[:limit]:
        sequence += 1
        digest = link_hash(previous, entry.payload)
        seals.append(AuditSeal(sequence=sequence, entry=entry, previous_hash=previous, hash=digest))
        previous = digest
    AuditSeal.objects.bulk_create(seals)
    return len(seals)
