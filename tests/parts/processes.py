"""The product's own processes and brokers, real and killable, on the database of the tests."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from celery import Task
from django.db import connection
from kombu import Connection
from redis import Redis
from redis.exceptions import RedisError

from launch.broker import choose_broker
from launch.processes import answers_healthz
from promotion import tasks
from tests.parts.registry import find_free_port

PROJECT = Path(__file__).resolve().parent.parent.parent
LEASE_SECONDS = 2.0
_PATIENCE_SECONDS = 60.0
_DATABASE_COMPLAINTS = ("is locked", "deadlock", "PoolTimeout", "too many clients")


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Look until it is so; fails, saying what did not come, after a minute."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"It did not come to this in time: {what}"
        time.sleep(0.05)


def database_url() -> str:
    """The address of the tests' own database, for processes that are to see the same rows."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    account = quote(str(found["USER"]), safe="")
    if found["PASSWORD"]:
        account += f":{quote(str(found['PASSWORD']), safe='')}"
    place = f"{found['HOST']}:{found['PORT']}" if found["PORT"] else found["HOST"]
    return f"postgres://{account}@{place}/{quote(str(found['NAME']), safe='')}"


@dataclass(slots=True)
class RunningProcess:
    """A process with its children, in a session of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End all of it at once, as the kernel does when memory runs out."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def freeze(self) -> None:
        """Let it sleep wherever it is."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was."""
        os.killpg(self.process.pid, signal.SIGCONT)

    def said(self) -> str:
        """All it wrote until now."""
        return self.log.read_text(errors="replace")


@dataclass(slots=True)
class RunningBroker:
    """A redis-server that can be ended and started again; `url` as the product takes it."""

    url: str
    command: tuple[str, ...]
    directory: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.directory / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.directory, stdout=log, stderr=log
            )
        wait_until(self._answers, f"the broker {self.command[0]} answers")

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def forget(self) -> None:
        """Lose every message."""
        with Redis.from_url(self.url) as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as client:
                return bool(client.ping())
        except RedisError:
            return False


def make_redis(directory: Path) -> RunningBroker:
    """The redis-server of this machine, on a port of the loopback."""
    program = shutil.which("redis-server")
    assert program is not None, "Install redis-server: these tests end and start it."
    port = str(find_free_port())
    command = (program, "--port", port, "--save", "", "--dir", str(directory))
    return RunningBroker(f"redis://127.0.0.1:{port}/0", command, directory)


def make_embedded(directory: Path) -> RunningBroker:
    """The broker of the one-command start, on a unix socket."""
    broker = choose_broker(directory, Path(sys.executable), lambda _: None)
    return RunningBroker(broker.url, broker.command, directory)


@dataclass(slots=True)
class Processes:
    """Starts workers and schedulers that share a broker, and ends them all at the end."""

    broker: RunningBroker
    directory: Path
    started: list[RunningProcess] = field(default_factory=list)

    def have_worker(self, *options: str) -> RunningProcess:
        """The last worker if it still runs, else a new one; it takes messages."""
        workers = self.workers()
        is_alive = bool(workers) and workers[-1].process.poll() is None
        worker = workers[-1] if is_alive else self.begin_worker(*options)
        wait_until(lambda: " ready." in worker.said(), "the worker is ready")
        return worker

    def begin_worker(self, *options: str) -> RunningProcess:
        """Start a worker as the product does, `options` besides, without waiting for it."""
        name = f"worker-{len(self.started)}"
        common = ("--hostname", f"{name}@test", "--without-gossip", "--without-mingle")
        return self._start(name, "worker", "--loglevel", "INFO", *common, *options)

    def start_scheduler(self) -> RunningProcess:
        """Start what sends the sweeps; one at a time."""
        name = f"beat-{len(self.started)}"
        schedule = str(self.directory / name)
        return self._start(name, "beat", "--pidfile=", "--schedule", schedule)

    def start_web(self) -> str:
        """Start the web process and wait until it answers; gives its address."""
        port = find_free_port()
        bind = ("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "4")
        command = ("gunicorn", "config.wsgi", *bind, "--no-control-socket")
        web = self._run("web", *command)
        wait_until(lambda: answers_healthz("127.0.0.1", port), f"the web answers: {web.log}")
        return f"http://127.0.0.1:{port}"

    def send(self, task: Task, *arguments: int) -> None:
        """Put a hint into the broker, as an entry point does."""
        # As Celery spells a unix socket.
        url = self.broker.url.replace("unix://", "redis+socket://")
        with Connection(url) as broker:
            task.apply_async(arguments, connection=broker)

    def advance(self, number: int) -> None:
        """Hint that a promotion may be ready for something."""
        self.send(tasks.advance, number)

    def workers(self) -> list[RunningProcess]:
        """All workers ever started, the newest last."""
        return [one for one in self.started if one.log.name.startswith("worker")]

    def kill_workers(self) -> None:
        """End every worker; the scheduler goes on."""
        for worker in self.workers():
            worker.kill()

    def database_complaints(self) -> list[str]:
        """What they said about waiting for the database in vain, or for each other."""
        lines = [line for one in self.started for line in one.said().splitlines()]
        return [line for line in lines if any(word in line for word in _DATABASE_COMPLAINTS)]

    def kill_all(self) -> None:
        """End everything that still runs."""
        for process in self.started:
            process.kill()

    def _start(self, name: str, *arguments: str) -> RunningProcess:
        return self._run(name, "celery", "-A", "config", *arguments)

    def _run(self, name: str, module: str, *arguments: str) -> RunningProcess:
        environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "REDIS_URL": self.broker.url,
            "THROUGHLINE_STEP_LEASE_SECONDS": str(LEASE_SECONDS),
            "THROUGHLINE_SWEEP_SECONDS": "0.5",
            # Django's checks import every page, which would double the time of each start.
            "CELERY_SKIP_CHECKS": "true",
            # The far sides of the tests are on the loopback.
            "THROUGHLINE_ALLOWED_PRIVATE_NETWORKS": "127.0.0.1/32",
        }
        log = self.directory / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=PROJECT,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        running = RunningProcess(process, log)
        self.started.append(running)
        return running
