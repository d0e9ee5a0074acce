"""Loading the demonstration: act after act, in small transactions that each note how far it is."""

import contextlib
import gc
import socket
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from demo.exceptions import DemoError
from demo.models import DemoProgress
from demo.organisation import LOOPBACK, SERVICES, make_catalog, make_connections
from demo.people import make_people
from demo.planning import plan_history
from demo.timeline import Act
from metrics.actions.recompute_checks import recompute_checks
from promotion.actions.tell import telling_nobody
from promotion.models import Promotion, Service, User

DAYS = 120
FEWEST_DAYS = 45
ACTS_AT_ONCE = 10
LET_OTHERS_WRITE = 0.025  # seconds
# People are told of what happened lately, as if it were running since then; older is no news.
NEWS_OF = timedelta(days=2)

Say = Callable[[str], None]


def load(say: Say, *, days: int = DAYS, services: list[str] | None = None) -> DemoProgress:
    """Loads what is missing: everything, the rest of a killed load, or nothing.

    DemoError where there are services already that are not the demonstration's.
    """
    progress = DemoProgress.current() or _begin(days, services)
    if progress.is_finished:
        say("The demonstration is loaded.")
        return progress
    # What is there by now stays; looking through it again and again is a tenth of the time.
    gc.freeze()
    acts = plan_history(progress)
    _note_total(progress, len(acts))
    said = -1
    for batch, done in _batches(acts, progress.done):
        _do(batch, progress, done)
        _make_way()
        if progress.percent // 5 != said:
            said = progress.percent // 5
            say(f"Loading the demonstration, {progress.percent} %: {batch[-1].at:%d %b %Y}")
    recompute_checks(timezone.now())
    _finish(progress)
    say("The demonstration is loaded.")
    return progress


@transaction.atomic
def _begin(days: int, slugs: list[str] | None) -> DemoProgress:
    if Service.objects.exists():
        raise DemoError(
            "There are services here that the demonstration did not make, so it was not loaded."
            " Load it into an empty installation."
        )
    if days < FEWEST_DAYS:
        raise DemoError(f"The history needs at least {FEWEST_DAYS} days. Nothing was loaded.")
    known = [one.slug for one in SERVICES]
    unknown = sorted(set(slugs or ()) - set(known))
    if unknown:
        raise DemoError(
            f"The demonstration has no service {', '.join(unknown)}. Nothing was loaded."
        )
    now = timezone.now().replace(microsecond=0)
    progress = DemoProgress.objects.create(
        began_at=now,
        days=days,
        services=[slug for slug in known if slugs is None or slug in slugs],
        runtime_port=_find_port(),
    )
    begins_at = now - timedelta(days=days)
    make_catalog(progress.services)
    make_people(begins_at)
    make_connections(User.objects.get(username="luca"), progress.runtime_port, begins_at)
    return progress


def _find_port() -> int:
    """One that is free now; the runtime's for good, since pipelines name it."""
    with contextlib.closing(socket.socket()) as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])


def _note_total(progress: DemoProgress, total: int) -> None:
    if progress.total not in (0, total):
        raise DemoError(
            "The demonstration was begun by another version of Throughline, and cannot be ended by"
            " this one. Start with a new data directory."
        )
    progress.total = total
    progress.save(update_fields=["total"])


def _batches(acts: list[Act], done: int) -> Iterator[tuple[list[Act], int]]:
    while done < len(acts):
        batch = acts[done : done + ACTS_AT_ONCE]
        done += len(batch)
        yield batch, done


@transaction.atomic
def _do(batch: list[Act], progress: DemoProgress, done: int) -> None:
    """Some acts and the note that they are done: both or neither."""
    for act in batch:
        with contextlib.nullcontext() if act.at > progress.began_at - NEWS_OF else telling_nobody():
            act.do()
    _let_rest(progress.began_at)
    progress.note(done, batch[-1].at)


def _make_way() -> None:
    """SQLite has one writer and no queue: without a gap, who signs in meanwhile would wait for ever."""
    if not connection.in_atomic_block:
        time.sleep(LET_OTHERS_WRITE)


def _let_rest(before: datetime) -> None:
    """Nothing of the past is due now: a running worker must not go on with half a history."""
    Promotion.objects.open().filter(next_look_at__lt=before).update(next_look_at=None)
    Service.objects.filter(next_look_at__lt=before).update(next_look_at=None)


@transaction.atomic
def _finish(progress: DemoProgress) -> None:
    """From here on time is the present: whatever is open is looked at."""
    now = timezone.now()
    Promotion.objects.open().filter(next_look_at=None).update(next_look_at=now)
    Service.objects.filter(next_look_at=None).update(next_look_at=now)
    progress.finished_at = now
    progress.save(update_fields=["finished_at"])
