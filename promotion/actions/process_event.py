"""Turning one kept event into facts, and noting what it became."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction

from promotion.exceptions import InputError, ThroughlineError
from promotion.models import Event
from promotion.rules.mapping import NEEDS_ENVIRONMENT
from promotion.sources.base import Delivery, Fact
from promotion.sources.known import SOURCES
from promotion.sources.probe import MARK

from .finish import wake_service
from .ingest import RECORDERS, Recorded, Taking
from .ingest.mapping import Placer, declare_deployment, tell_place
from .ingest.moving import move_misplaced
from .ingest.recorded import fit
from .ingest.turns import take_turns
from .ingest.withdrawing import withdraw_misplaced

logger = logging.getLogger(__name__)

LEFT_AFTER = timedelta(seconds=5)
MOST_ATTEMPTS = 5
STATES = Event.State


def left_events(*, at: datetime, limit: int = 500) -> list[int]:
    """Events acknowledged a while ago and not processed yet, whose hint may be lost."""
    rows = Event.objects.unprocessed().filter(
        received_at__lt=at - LEFT_AFTER, attempts__lt=MOST_ATTEMPTS
    )
    return list(rows.order_by("received_at").values_list("pk", flat=True)[:limit])


def process_event(event: int, *, at: datetime) -> list[int]:
    """Records the event's facts; returns the services they speak of. Harmless to repeat.

    One transaction for the event and a savepoint for each fact, so that one bad part does not lose
    the others; a broken attempt is counted and the event stays to be tried again.
    """
    try:
        return _process(event, at)
    except Exception as error:
        logger.exception("Event %s could not be processed", event)
        found = Event.objects.filter(pk=event).first()
        if found is None:
            return []
        attempts = found.attempts + 1
        is_last = attempts >= MOST_ATTEMPTS
        Event.objects.filter(pk=event).update(
            attempts=attempts,
            state=STATES.ERRORED if is_last else STATES.RECEIVED,
            summary=f"Processing broke ({type(error).__name__}); the log tells how. The event is kept.",
        )
        return []


@transaction.atomic
def _process(number: int, at: datetime) -> list[int]:
    event = Event.objects.select_for_update().filter(pk=number, state=STATES.RECEIVED).first()
    if event is None:
        return []
    source = SOURCES[event.source]
    delivery = Delivery(
        body=bytes(event.body), headers=event.headers, content_type=event.content_type
    )
    event.processed_at = at
    try:
        normalised = source.normalise(delivery)
    except InputError as error:
        event.state, event.summary = STATES.UNREADABLE, error.sentence[:300]
        event.save()
        return []
    takings = list(_place(event, normalised.facts))
    take_turns(takings)
    left, stays = move_misplaced(event, takings)
    recorded = [_record(one) for one in takings]
    left += [one.service_id for one in withdraw_misplaced(event, recorded)]
    event.notes = [*normalised.notes, *stays]
    event.outcome = [_tell(*pair) for pair in zip(takings, recorded, strict=True)]
    event.state, event.summary = _sum_up(recorded, event)
    event.lacks, event.speaks_of = _find_lack(takings, recorded)
    event.save()
    touched = {one.service.pk for one in recorded if one.service and one.became != "unchanged"}
    services = sorted(touched | set(left))
    for service in services:
        wake_service(service, at)
    return services


def _place(event: Event, facts: Iterable[Fact]) -> Iterator[Taking]:
    """Each fact with its place; a build that a rule declares to be one is a deployment as well."""
    placer = Placer(event.sender_id)
    for fact in facts:
        placed = placer.place(fact)
        yield Taking(event, fact, placed)
        if declared := declare_deployment(fact, placed):
            yield Taking(event, *declared)


def _record(taking: Taking) -> Recorded:
    if taking.placed.place.is_ignored:
        numbers = ", ".join(str(one) for one in taking.placed.place.rules)
        return Recorded("ignored", note=f"Mapping rule {numbers} says that it is to be ignored.")
    try:
        with transaction.atomic():
            return RECORDERS[taking.fact.kind](taking)
    except ThroughlineError as error:
        return Recorded("nothing", note=error.sentence)
    except (DatabaseError, ValueError, TypeError) as error:
        logger.exception(
            "A %s of event %s could not be recorded", taking.fact.kind, taking.event.pk
        )
        return Recorded(
            "nothing", note=f"It could not be recorded ({type(error).__name__}); the log tells how."
        )


def _find_lack(takings: list[Taking], recorded: list[Recorded]) -> tuple[str, str]:
    """What of the catalog was not found, and by what name; the first service missing, else environment."""
    lacking = ("", "")
    for taking, one in zip(takings, recorded, strict=True):
        fact, place = taking.fact, taking.placed.place
        if place.is_ignored or fact.kind in {"evidence", "approval"}:
            continue
        if place.service is None and one.service is None:
            said = fact.repository or fact.service or ("" if fact.kind == "incident" else fact.name)
            return Event.Lacks.SERVICE, fit(Event, "speaks_of", said)
        if place.environment is None and fact.kind in NEEDS_ENVIRONMENT and not lacking[0]:
            lacking = (Event.Lacks.ENVIRONMENT, fit(Event, "speaks_of", fact.environment))
    return lacking


def _tell(taking: Taking, recorded: Recorded) -> dict[str, Any]:
    """One line of what the event became, for its page."""
    fact = taking.fact
    return {
        "kind": fact.kind,
        "became": recorded.became,
        "label": str(recorded.row) if recorded.row else "",
        "object": recorded.row._meta.model_name if recorded.row else "",
        "pk": recorded.row.pk if recorded.row else None,
        "note": recorded.note,
        "more": recorded.more,
        "fact": fact.as_json(),
        "place": tell_place(taking.placed.place),
        "is_declared": taking.placed.is_declared,
    }


def _sum_up(recorded: list[Recorded], event: Event) -> tuple[str, str]:
    """The event's state and one sentence."""
    rows = [one for one in recorded if one.row is not None]
    if rows:
        kinds: dict[str, int] = {}
        for one in rows:
            name = one.row._meta.verbose_name if one.row else ""
            kinds[str(name)] = kinds.get(str(name), 0) + 1
        said = ", ".join(
            f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in kinds.items()
        )
        return STATES.RECORDED, f"Became {said}."
    if any(one.is_unmapped for one in recorded):
        return STATES.UNMAPPED, next(one.note for one in recorded if one.is_unmapped)[:300]
    if any(one.became == "ignored" for one in recorded):
        return STATES.IGNORED, next(one.note for one in recorded if one.became == "ignored")
    if not recorded and event.headers.get(MARK):
        return STATES.NOTHING, "A test from the page of its sender: address and secret are right."
    notes = [one.note for one in recorded if one.note] + list(event.notes)
    return STATES.NOTHING, (notes[0] if notes else "It holds nothing that is a fact here.")[:300]
