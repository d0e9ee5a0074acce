"""Two deliveries about one release, taken in by two workers at the same moment."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from promotion.actions.process_event import process_event
from promotion.actions.receive import receive
from promotion.models import Artifact, Event, Release
from promotion.sources.base import Delivery
from promotion.sources.known import SOURCES
from tests.factories import NOW, commit_of, digest_of, make_sender, make_service
from tests.parts import deliveries
from tests.parts.processes import wait_until

COMMIT, DIGEST = commit_of("at once"), digest_of("at once")
PLACE = {"repository": "acme/shop", "commit": COMMIT}
BUILD = deliveries.workflow_run(**PLACE, finished_at="2026-11-23T10:00:00Z")
IMAGE = deliveries.registry_package(
    **PLACE, name="shop", digest=DIGEST, tag="4.1.0", at="2026-11-23T10:05:00Z"
)


class Worker:
    """A thread with a connection of its own that processes one event."""

    def __init__(self, event: Event, before_commit: Callable[[], object]) -> None:
        self.has_recorded = threading.Event()
        self.thread = threading.Thread(target=self._work, args=(event.pk, before_commit))
        self.thread.start()

    def _work(self, event: int, before_commit: Callable[[], object]) -> None:
        try:
            with transaction.atomic():
                process_event(event, at=NOW)
                self.has_recorded.set()
                before_commit()
        finally:
            connection.close()


def is_held_up(second: Worker) -> bool:
    """Whether the second is done, or waits for the first: on SQLite one writes at a time anyway."""
    if second.has_recorded.is_set() or connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", [(BUILD, IMAGE), (IMAGE, BUILD)], ids=["build first", "image"])
def test_a_build_and_its_artifact_find_each_other(order: tuple[Delivery, Delivery]) -> None:
    make_service("shop", repository="acme/shop")
    sender = make_sender()
    events = [
        receive(SOURCES[sender.kind], one, sender=sender, token=None, at=NOW).event for one in order
    ]
    may_commit = threading.Event()
    first = Worker(events[0], lambda: may_commit.wait(60))
    assert first.has_recorded.wait(60)
    second = Worker(events[1], lambda: None)
    wait_until(lambda: is_held_up(second), "the second is recorded or waits")
    may_commit.set()
    for worker in (first, second):
        worker.thread.join(60)
        assert not worker.thread.is_alive()
    artifact = Artifact.objects.get()
    assert [build.commit for build in artifact.builds.all()] == [COMMIT]
    assert Release.objects.get().commit == COMMIT
