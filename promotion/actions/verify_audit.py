"""Checking the audit record: every entry says what was hashed, every hash covers the one before."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from django.db import transaction

from promotion.exceptions import NotAllowedError
from promotion.models import AuditEntry, AuditSeal, Role, User

from .audit import GENESIS, link_hash, record

CHUNK = 2000
VERIFIED = "audit.verify"
READERS = (Role.AUDITOR, Role.ADMINISTRATOR, Role.RELEASE_MANAGER, Role.PLATFORM_ENGINEER)
COLUMNS = (
    "actor_name",
    "action",
    "subject_type",
    "subject_id",
    "subject_label",
    "reason",
    "details",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check found: how many entries hold, how many are newer than the last seal."""

    sealed: int
    unsealed: int
    difference: str = ""
    at_sequence: int | None = None
    last_hash: str = GENESIS

    @property
    def holds(self) -> bool:
        """No difference and no gap."""
        return not self.difference

    @property
    def sentence(self) -> str:
        """The finding for people."""
        if self.difference:
            return f"The chain is broken at {self.at_sequence}: {self.difference}"
        noun = "entry" if self.sealed == 1 else "entries"
        newer = f" {self.unsealed} newer not sealed yet." if self.unsealed else ""
        return f"The chain holds: {self.sealed} {noun}, no gap.{newer}"


def verify_audit() -> Verdict:
    """Recomputes the whole chain from the first entry; stops at the first difference. Changes nothing."""
    previous, expected = GENESIS, 1
    for seal in _seals():
        problem = _problem_of(seal, expected, previous)
        if problem:
            return Verdict(expected - 1, 0, problem, seal.sequence, previous)
        previous, expected = seal.hash, expected + 1
    unsealed = AuditEntry.objects.filter(seal=None)
    unsealed_rows = 0
    for entry in unsealed.order_by("pk").iterator(CHUNK):
        problem = _changed(entry)
        if problem:
            return Verdict(expected - 1, unsealed_rows, problem, expected, previous)
        unsealed_rows += 1
    return Verdict(expected - 1, unsealed_rows, last_hash=previous)


@transaction.atomic
def verify_and_record(*, person: User, at: datetime) -> Verdict:
    """The same, and that it was checked goes onto the record itself; NotAllowedError who may not read it."""
    if not may_read_audit(person):
        raise NotAllowedError(
            f"{person.name} may not check the audit log: that takes somebody who may read it."
            " Nothing was changed."
        )
    verdict = verify_audit()
    last = AuditSeal.objects.order_by("-sequence").first()
    details = {
        "holds": verdict.holds,
        "sealed": verdict.sealed,
        "unsealed": verdict.unsealed,
        "last_hash": verdict.last_hash,
    }
    if last is not None:
        record(VERIFIED, last, actor=person, at=at, reason=verdict.sentence, details=details)
    return verdict


def may_read_audit(person: User) -> bool:
    """Auditors, administrators, release managers and platform engineers, of whichever team."""
    return person.is_active and person.memberships.filter(role__in=READERS).exists()


def _seals() -> Iterator[AuditSeal]:
    rows = AuditSeal.objects.select_related("entry").order_by("sequence")
    return rows.iterator(CHUNK)


def _problem_of(seal: AuditSeal, expected: int, previous: str) -> str:
    if seal.sequence != expected:
        return f"number {expected} is missing; the next there is, is {seal.sequence}."
    if seal.previous_hash != previous:
        return "it does not follow on the hash before it, so something between them was changed."
    if seal.hash != link_hash(previous, seal.entry.payload):
        return "its hash is not that of what it says, so the entry was changed after it was sealed."
    return _changed(seal.entry)


def _changed(entry: AuditEntry) -> str:
    """Where the columns that pages show differ from the payload that was hashed."""
    try:
        said: dict[str, Any] = json.loads(entry.payload)
    except ValueError:
        return "its payload is no JSON."
    shown: dict[str, Any] = {name: getattr(entry, name) for name in COLUMNS}
    shown["at"] = entry.at.astimezone(UTC).isoformat()
    for name, value in sorted(shown.items()):
        if not _is_same(said.get(name), value):
            return f"entry {entry.pk} shows another {name} than was hashed."
    # User names may change later, so only whether somebody acted is compared; the name is above.
    if bool(said.get("actor")) != (entry.actor_id is not None):
        return f"entry {entry.pk} shows another actor than was hashed."
    return ""


def _is_same(said: Any, shown: Any) -> bool:
    try:
        return rfc8785.dumps(said) == rfc8785.dumps(shown)
    except rfc8785.CanonicalizationError:
        return False
