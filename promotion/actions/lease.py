"""Holding a step while its effect goes on: only a worker that died or sleeps loses it to another."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connections

from promotion.models import Promotion, StepRun
from promotion.rules.states import State

logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]

# Twice it may come late or fail before the lease runs out.
RENEWALS_IN_A_LEASE = 3


def lease_from(at: datetime) -> datetime:
    """When a lease taken or renewed at that time runs out."""
    return at + timedelta(seconds=settings.STEP_LEASE_SECONDS)


def renew_lease(run: StepRun, *, at: datetime, **columns: object) -> bool:
    """Renews the lease and writes other columns; False where another worker has taken the step over."""
    held = StepRun.objects.filter(pk=run.pk, token=run.token, state=StepRun.State.RUNNING)
    if not held.update(lease_until=lease_from(at), **columns):
        return False
    Promotion.objects.filter(pk=run.promotion_id, state=State.RUNNING.value).update(
        next_look_at=lease_from(at)
    )
    return True


@contextmanager
def keep_lease(run: StepRun, *, now: Clock) -> Iterator[None]:
    """Renews the lease from a thread of its own while the block runs.

    A far side may take longer to answer than a lease lasts; without this the same effect would be
    begun again and again, each time by a worker whose answer then comes too late.
    """
    ended = threading.Event()
    thread = threading.Thread(target=_renew_until, args=(ended, run, now), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        # A renewal under way must not come after the outcome.
        thread.join()


def _renew_until(ended: threading.Event, run: StepRun, now: Clock) -> None:
    try:
        while not ended.wait(settings.STEP_LEASE_SECONDS / RENEWALS_IN_A_LEASE):
            try:
                if not renew_lease(run, at=now()):
                    return
            except DatabaseError:
                logger.warning("The lease of step %s was not renewed", run.pk, exc_info=True)
                connections.close_all()
    finally:
        # A thread's connections are its own.
        connections.close_all()
