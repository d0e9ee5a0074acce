"""Workers that are killed, and the far sides that decide the moment."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.kill.lanes import FarSides, run_far_sides
from tests.parts.processes import Processes, make_embedded, make_redis, wait_until

BROKERS = {"redis": make_redis, "embedded": make_embedded}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what each test needs."""
    for program in ("redis", "registry", "git"):
        item.add_marker(f"needs_{program}")


@pytest.fixture(scope="module", params=BROKERS)
def processes(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: Any,
) -> Iterator[Processes]:
    """A broker of each kind, with a scheduler; what is started ends with the module.

    On SQLite a worker that a test leaves alive is the one that the next test kills.
    """
    directory = tmp_path_factory.mktemp(request.param)
    broker = BROKERS[request.param](directory)
    broker.start()
    started = Processes(broker, directory)
    with django_db_blocker.unblock():
        started.start_scheduler()
    yield started
    started.kill_all()
    broker.kill()
    assert started.database_complaints() == []


@pytest.fixture
def far_sides(transactional_db: None, tmp_path: Path) -> Iterator[FarSides]:
    """All outside systems, running, and the connections to them."""
    with run_far_sides(tmp_path) as running:
        yield running


@pytest.fixture(autouse=True)
def nobody_works_while_the_tables_are_emptied(
    request: pytest.FixtureRequest, transactional_db: None
) -> Iterator[None]:
    """PostgreSQL empties all tables under locks, which whoever works at one of them waits for in turn."""
    if connection.vendor != "postgresql" or "processes" not in request.fixturenames:
        yield
        return
    processes: Processes = request.getfixturevalue("processes")
    if all(one.process.poll() is not None for one in processes.started):
        processes.start_scheduler()
    yield
    processes.kill_all()
    wait_until(lambda: not _at_work(), "the database is done with those that were killed")


def _at_work() -> bool:
    """Whether a session besides ours is in a statement or a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return bool(cursor.fetchone()[0])
