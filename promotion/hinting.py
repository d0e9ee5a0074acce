"""Sends the hints of what was taken in beside the answers, many in one message when many come.

The row is committed before a hint is given and a sweep finds what no hint told of, so the answer to
a tool need not wait for the broker. Where little comes each event still has a message of its own, at once.
"""

import logging
import os
import threading
from collections import deque
from functools import partial

from django.db import transaction

from promotion import tasks

logger = logging.getLogger(__name__)

MOST_KEPT = 10_000  # while the broker is slow; the sweep finds what is dropped
MOST_TOGETHER = 20  # few enough that several workers share what comes at once


def hint_on_commit(event: int) -> None:
    """Has the event processed soon, once it is committed."""
    transaction.on_commit(partial(_hinter.give, event), robust=True)


class Hinter:
    """A thread that sends what it is given; it begins with the first hint of its process."""

    def __init__(self) -> None:
        self._waiting: deque[int] = deque(maxlen=MOST_KEPT)
        self._wake = threading.Event()
        self._beginning = threading.Lock()
        self._thread: threading.Thread | None = None

    def give(self, event: int) -> None:
        """Returns at once."""
        self._waiting.append(event)
        self._wake.set()
        if self._thread is None:
            with self._beginning:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._send, name="hints", daemon=True)
                    self._thread.start()

    def _send(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._waiting:
                count = min(len(self._waiting), MOST_TOGETHER)
                events = [self._waiting.popleft() for _ in range(count)]
                try:
                    tasks.process_together.delay(events)
                except Exception:  # the thread must outlive it; the sweep finds these events
                    logger.exception("No hint could be sent of %s events", count)


def _begin_anew() -> None:
    """A process that was forked has no thread, and its parent sends what it was given."""
    global _hinter
    _hinter = Hinter()


_hinter = Hinter()
os.register_at_fork(after_in_child=_begin_anew)
