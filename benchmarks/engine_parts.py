"""What benchmarks/engine.py measures on: a database, a broker, workers, a far side, promotions."""

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[1]
SERVER = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
DATABASE = f"throughline_benchmark_{os.getpid()}"
URL = f"{SERVER.rpartition('/')[0]}/{DATABASE}"
PATIENCE_SECONDS = 900
DUE_MODELS = 10  # waiting promotions that the many are copied from
STAGE = """
service: {service}
stages:
  - name: dev
    environment: dev
    queue: fifo
    %s
"""
CALL = "{http: {connection: deployer}}"
PIPELINES = {
    "calls": STAGE % f"steps: [{CALL}, {CALL}]",
    "approved": STAGE
    % f'approvals: [{{name: managers, count: 1, from: ["role:release manager"]}}]\n    steps: [{CALL}]',
    "long": STAGE % "steps: [{wait-for-deployment: {timeout: 2h}}]",
}

os.environ |= {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DATABASE_URL": URL,
    "BARE_DATABASE_URL": URL,
    "SECRET_KEY": "only-for-the-benchmark",
    "THROUGHLINE_ENCRYPTION_KEYS": "dGVzdC1vbmx5LWtleS0wMTIzNDU2Nzg5YWJjZGVmMDE=",
    "THROUGHLINE_ALLOWED_PRIVATE_NETWORKS": "127.0.0.1/32",
    "LOG_LEVEL": "ERROR",
}


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Milliseconds."""
    ordered = sorted(one * 1000 for one in seconds)
    last = len(ordered) - 1
    return {f"p{p}": round(ordered[round(last * p / 100)], 1) for p in (50, 95)}


@dataclass(slots=True)
class Bench:
    """One run; everything is asked for through the product's own actions."""

    people: dict[str, Any] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def ask(self, kind: str, count: int) -> list[int]:
        """So many promotions, each of a service of its own; nobody is told of them."""
        from django.utils import timezone

        from promotion.actions.promote import Request, ask_for_promotion
        from tests.factories import make_environment, make_pipeline, make_release, make_service

        asked = []
        for _ in range(count):
            service = make_service(f"{kind}-{next(self._numbers)}")
            make_pipeline(service, PIPELINES[kind].replace("{service}", service.slug))
            release = make_release(service, "1.0.0", at=timezone.now())
            wish = Request(release, make_environment("dev"), person=self.people["asker"])
            asked.append(ask_for_promotion(wish, at=timezone.now()).promotion.pk)
        return asked

    @contextmanager
    def run_workers(self, count: int) -> Iterator[None]:
        """As many processes that work, the scheduler, and as many of the bare application."""
        ours = ("-A", "config", "worker", "--concurrency", str(count))
        bare = ("-A", "benchmarks.bare_task", "worker", "--concurrency", str(count), "-Q", "bare")
        quiet = ("--without-gossip", "--without-mingle", "--loglevel", "ERROR")
        with tempfile.TemporaryDirectory() as scratch:
            beat = ("-A", "config", "beat", "--pidfile=", "--schedule", f"{scratch}/beat")
            commands = ((*ours, *quiet), (*bare, *quiet, "-n", "bare@%h"), (*beat, "-l", "ERROR"))
            started = [
                subprocess.Popen(
                    [sys.executable, "-m", "celery", *one],
                    cwd=ROOT,
                    env={**os.environ},
                    stdout=subprocess.DEVNULL,
                )
                for one in commands
            ]
            try:
                self.warm_up(count)
                yield
            finally:
                for process in started:
                    process.terminate()
                for process in started:
                    process.wait(60)

    def warm_up(self, count: int) -> None:
        """Until both kinds of workers have done something, each process more than once."""
        from promotion import tasks
        from promotion.models import Promotion

        numbers = self.ask("calls", 4 * count)
        marks = self.make_marks(4 * count)
        for number in numbers:
            tasks.advance.delay(number)
        self.send_marks(marks)
        self.wait(lambda: self.are_marked(marks))
        self.wait(lambda: not Promotion.objects.filter(pk__in=numbers).open().exists())

    def approve_one_by_one(self, numbers: Sequence[int]) -> list[float]:
        """Seconds from before each approval to when the first step was claimed."""
        from django.utils import timezone

        from promotion import tasks
        from promotion.actions.advance import advance
        from promotion.actions.approve import Choice, decide
        from promotion.models import Approval, Promotion, StepRun

        taken = []
        for number in numbers:
            advance(number, at=timezone.now())
            seen = Promotion.objects.get(pk=number).content_hash
            begun = timezone.now()
            choice = Choice(Approval.Decision.APPROVE, seen)
            decide(number, choice, person=self.people["manager"], at=begun)
            tasks.advance.delay(number)
            first = StepRun.objects.filter(promotion=number, started_at__isnull=False)
            self.wait(first.exists)
            taken.append((first.get().started_at - begun).total_seconds())
        return taken

    def begin_waiting(self, count: int) -> None:
        """So many promotions in the middle of waiting for what their runtime will say."""
        from promotion import tasks
        from promotion.models import StepRun

        numbers = self.ask("long", count)
        for number in numbers:
            tasks.advance.delay(number)
        waiting = StepRun.objects.filter(promotion__in=numbers, state=StepRun.State.WAITING)
        self.wait(lambda: waiting.count() == count)

    def end_all_waiting(self) -> None:
        """Nothing is due any more."""
        from promotion.models import Promotion

        Promotion.objects.open().update(next_look_at=None)

    def fill_waiting(self, count: int) -> None:
        """Rows of promotions that wait, each in a lane of its own, to be looked at tomorrow."""
        from django.utils import timezone

        from promotion.models import Promotion
        from tests.factories import make_environment

        at = timezone.now()
        models = list(Promotion.objects.filter(state="waiting")[:DUE_MODELS])
        lanes = -(-count // len(models))
        places = [make_environment(f"place-{number}") for number in range(lanes)]
        rows = []
        for model, place in itertools.islice(itertools.product(models, places), count):
            names = [one.attname for one in Promotion._meta.concrete_fields if not one.primary_key]
            row = Promotion(**{name: getattr(model, name) for name in names})
            row.environment, row.next_look_at = place, at + timedelta(days=1)
            rows.append(row)
        Promotion.objects.bulk_create(rows, batch_size=1000)

    def make_marks(self, count: int) -> list[int]:
        """Rows for bare tasks."""
        with psycopg.connect(URL, autocommit=True) as database:
            rows = database.execute(
                "INSERT INTO bare (sent_at) SELECT clock_timestamp() FROM generate_series(1, %s)"
                " RETURNING id",
                [count],
            )
            return [number for (number,) in rows.fetchall()]

    def send_marks(self, marks: Sequence[int]) -> None:
        """One bare task for each."""
        from benchmarks.bare_task import mark

        for number in marks:
            mark.delay(number)

    def are_marked(self, marks: Sequence[int]) -> bool:
        """Has each been reached?"""
        with psycopg.connect(URL) as database:
            row = database.execute(
                "SELECT count(*) FROM bare WHERE id = ANY(%s) AND reached_at IS NULL", [list(marks)]
            ).fetchone()
        return row == (0,)

    def round_trip(self) -> float:
        """Seconds from before one bare task was sent to when its row was updated."""
        (number,) = marks = self.make_marks(1)
        self.send_marks(marks)
        self.wait(lambda: self.are_marked(marks))
        with psycopg.connect(URL) as database:
            row = database.execute(
                "SELECT extract(epoch FROM reached_at - sent_at) FROM bare WHERE id = %s", [number]
            ).fetchone()
        assert row is not None
        return float(row[0])

    def wait(self, condition: Callable[[], bool]) -> None:
        """Look until it is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit("It did not come to it in time.")
            time.sleep(0.01)

    def time(self, act: Callable[[], None], has_ended: Callable[[], bool]) -> float:
        """Seconds from the act to its end."""
        begun = time.perf_counter()
        act()
        self.wait(has_ended)
        return time.perf_counter() - begun

    def clock(self, act: Callable[[], None]) -> float:
        """Seconds it takes."""
        begun = time.perf_counter()
        act()
        return time.perf_counter() - begun


@contextmanager
def run_bench() -> Iterator[Bench]:
    """A database with its tables, a broker, a far side; all of it goes at the end."""
    import django

    django.setup()
    from tests.parts.processes import make_redis
    from tests.parts.recording_server import Answer, run_recording_server

    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{DATABASE}"')
    try:
        with tempfile.TemporaryDirectory(prefix="throughline-engine-") as directory:
            os.environ["THROUGHLINE_DATA"] = directory
            broker = make_redis(Path(directory))
            broker.start()
            os.environ["REDIS_URL"] = broker.url
            try:
                with run_recording_server(lambda _: Answer(202)) as deployer:
                    yield _set_up(deployer.base_url)
            finally:
                broker.kill()
                _let_go()
    finally:
        with psycopg.connect(SERVER, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{DATABASE}" WITH (FORCE)')


def _set_up(deployer: str) -> Bench:
    from django.core.management import call_command

    from promotion.models import Role
    from tests.factories import make_connection, make_person

    call_command("migrate", verbosity=0)
    with psycopg.connect(URL, autocommit=True) as database:
        database.execute(
            "CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " sent_at timestamptz NOT NULL, reached_at timestamptz)"
        )
    make_connection("deployer", "http", deployer, secret="whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw==")
    return Bench(
        {
            "asker": make_person("tomasz", Role.MEMBER),
            "manager": make_person("ines", Role.RELEASE_MANAGER),
        }
    )


def _let_go() -> None:
    from django.db import connections

    connections.close_all()
    connections["default"].close_pool()  # type: ignore[attr-defined]
