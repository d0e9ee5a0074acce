"""Taking in what happened before we were told, from files or lists; stops anywhere and goes on."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from promotion.backfill.base import Page
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import BackfillRun, Event, Sender
from promotion.sources.base import Delivery
from promotion.sources.known import SOURCES, source_named

from .audit import record
from .process_event import process_event
from .receive import receive

READ = (Event.State.RECORDED, Event.State.IGNORED)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be taken in: the sender it counts as, the connection (none for files), the list."""

    sender: Sender
    what: str
    connection: str = ""
    since: datetime | None = None


def find_sender(kind: str, slug: str, *, at: datetime) -> Sender:
    """The sender named, or one that only backfills of that kind use and nobody can deliver to.

    InputError for an unknown kind or sender, or a sender of another kind.
    """
    source_named(kind)
    if slug:
        sender = Sender.objects.filter(slug=slug).first()
        if sender is None:
            raise InputError(f"There is no sender {slug[:100]!r}. Nothing was taken in.")
        if sender.kind != kind:
            raise InputError(
                f"The sender {slug} is of the kind {sender.kind}, not {kind}. Nothing was taken in."
            )
        return sender
    sender, _ = Sender.objects.get_or_create(
        slug=f"backfill-{kind}",
        defaults={
            "name": f"{SOURCES[kind].title}, backfilled",
            "kind": kind,
            "secret": secrets.token_urlsafe(32),
            "is_active": False,
            "created_at": at,
        },
    )
    return sender


@transaction.atomic
def begin_backfill(order: Order, *, at: datetime, afresh: bool = False) -> BackfillRun:
    """The run that stopped, to go on with, or a new one; `afresh` begins at the first page again."""
    run, is_new = BackfillRun.objects.exclude(state=BackfillRun.State.FINISHED).get_or_create(
        sender=order.sender,
        connection=order.connection,
        what=order.what,
        defaults={"since": order.since, "started_at": at},
    )
    if not is_new and (afresh or run.since != order.since):
        run.cursor, run.since = {}, order.since
        run.listed = run.taken_in = run.known = run.unread = 0
    run.state, run.note = BackfillRun.State.RUNNING, ""
    run.save()
    details = {"what": run.what, "connection": run.connection, "cursor": run.cursor}
    record("backfill.begin", run, actor=None, at=at, details=details)
    return run


def take_in_pages(
    run: BackfillRun,
    pages: Iterable[Page],
    *,
    now: Callable[[], datetime],
    tell: Callable[[str], None] = lambda _: None,
) -> set[int]:
    """Keeps and processes page by page; returns the services touched.

    The cursor moves when a page is processed, so a run that dies repeats a page at most, and what
    is repeated is known. Raises what reading the list raises, with the run marked as stopped.
    """
    services: set[int] = set()
    try:
        for page in pages:
            for delivery in page.deliveries:
                services |= _take_in(run, delivery, now())
            run.cursor = dict(page.cursor)
            run.save()
            tell(f"{run.listed} listed: {run.taken_in} taken in, {run.known} known already.")
            if page.is_last:
                break
    except ThroughlineError as error:
        _end(run, BackfillRun.State.STOPPED, now(), note=error.sentence)
        raise
    except KeyboardInterrupt:
        _end(run, BackfillRun.State.STOPPED, now(), note="It was interrupted.")
        raise
    _end(run, BackfillRun.State.FINISHED, now())
    return services


def _take_in(run: BackfillRun, delivery: Delivery, at: datetime) -> set[int]:
    received = receive(
        SOURCES[run.sender.kind],
        delivery,
        sender=run.sender,
        token=None,
        at=at,
        is_backfilled=True,
    )
    run.listed += 1
    if not received.is_new and received.event.state != Event.State.RECEIVED:
        run.known += 1
        return set()
    touched = process_event(received.event.pk, at=at)
    state = Event.objects.values_list("state", flat=True).get(pk=received.event.pk)
    run.taken_in += 1
    run.unread += state not in READ
    return set(touched)


@transaction.atomic
def _end(run: BackfillRun, state: BackfillRun.State, at: datetime, *, note: str = "") -> None:
    run.state, run.note = state, note[:500]
    run.finished_at = at if state == BackfillRun.State.FINISHED else None
    run.save()
    counts = {"listed": run.listed, "taken_in": run.taken_in, "known": run.known}
    record(f"backfill.{state.value}", run, actor=None, at=at, reason=run.note, details=counts)
