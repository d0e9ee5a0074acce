"""After a rule or a service changed: the kept events whose facts belong elsewhere now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from promotion.models import Event, User
from promotion.rules.mapping import NEEDS_ENVIRONMENT, Catalog, Place, find_place
from promotion.sources.base import Fact

from .audit import record
from .ingest.mapping import read_catalog, subject_of

BATCH = 500
# What tells a fact's place; the rest of it is read again from the kept bytes.
SAID = (
    "kind",
    "service",
    "environment",
    "repository",
    "name",
    "digest",
    "result",
    "external_id",
    "run_id",
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Events to be processed again, and the key below which the next batch begins; None = done."""

    events: tuple[int, ...]
    below: int | None


def find_misplaced(*, below: int | None = None, limit: int = BATCH) -> Batch:
    """Reads the kept events, newest first, and names those whose facts find a new place.

    A place that is no longer found is no reason: what was recorded then stands.
    """
    rows = Event.objects.exclude(state=Event.State.RECEIVED).order_by("-pk")
    if below is not None:
        rows = rows.filter(pk__lt=below)
    read: list[Any] = list(rows.values("pk", "sender_id", "outcome")[:limit])
    catalog = read_catalog()
    found = tuple(one["pk"] for one in read if _is_misplaced(one, catalog))
    return Batch(found, read[-1]["pk"] if len(read) == limit else None)


@transaction.atomic
def set_back(events: tuple[int, ...], *, person: User | None, at: datetime) -> tuple[int, ...]:
    """Sets processed events back to received; returns those it set back. One audit entry for all."""
    rows = Event.objects.select_for_update().filter(pk__in=events)
    found = list(rows.exclude(state=Event.State.RECEIVED).order_by("pk"))
    numbers = tuple(one.pk for one in found)
    if not numbers:
        return ()
    Event.objects.filter(pk__in=numbers).update(
        state=Event.State.RECEIVED, summary="", attempts=0, processed_at=None
    )
    details = {"events": list(numbers), "count": len(numbers)}
    reason = "The mapping to the catalog was changed."
    record("event.replay", found[-1], actor=person, at=at, reason=reason, details=details)
    return numbers


def stored_facts(outcome: Any) -> Iterator[tuple[Fact, dict[str, Any]]]:
    """The facts an event became, each with its line; without those that a rule had made of builds."""
    for line in outcome if isinstance(outcome, list) else []:
        said = line.get("fact") if isinstance(line, dict) else None
        if not isinstance(said, dict) or line.get("is_declared") or not said.get("kind"):
            continue
        words: dict[str, Any] = {name: str(said[name]) for name in SAID if said.get(name)}
        details = said.get("details")
        words["details"] = details if isinstance(details, dict) else {}
        yield Fact(**words), line


def is_worth_again(kind: str, before: dict[str, Any] | None, now: Place) -> bool:
    """Whether processing again adds or mends something.

    Never merely because a place is lost; and what had its place is not ignored after the fact.
    """
    if before is None:  # kept before places were
        return now.service is not None or now.is_ignored
    if now.is_ignored:
        had_all = before["service"] and (before["environment"] or kind not in NEEDS_ENVIRONMENT)
        return not before["is_ignored"] and not had_all
    if before["is_ignored"]:
        return True
    return any(
        getattr(now, name) is not None and getattr(now, name) != before[name]
        for name in ("service", "environment", "deploys_to")
        if name != "environment" or kind in NEEDS_ENVIRONMENT or kind == "incident"
    )


def _is_misplaced(row: dict[str, Any], catalog: Catalog) -> bool:
    return any(
        is_worth_again(
            fact.kind, line.get("place"), find_place(subject_of(fact, row["sender_id"]), catalog)
        )
        for fact, line in stored_facts(row["outcome"])
    )
