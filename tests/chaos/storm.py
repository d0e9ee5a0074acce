"""What is done to the processes while promotions run: killed, put to sleep, cut off."""

import os
import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection

from tests.parts.processes import LEASE_SECONDS, Processes, RunningProcess

OBSERVER = "chaos observer"
POOL = ("--pool", "prefork", "--concurrency", "2")


def spare_our_connection() -> None:
    """The storm cuts every connection but those of the threads that said this."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, false)", [OBSERVER])


@dataclass(slots=True)
class Storm:
    """Does one bad thing every `every` seconds until it is told to end; keeps as many workers running."""

    processes: Processes
    workers: int
    seed: int
    every: float
    done: Counter[str] = field(default_factory=Counter)
    failure: BaseException | None = None
    _alive: list[RunningProcess] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start the workers and the storm."""
        self._alive = [self.processes.begin_worker(*POOL) for _ in range(self.workers)]
        self._thread = threading.Thread(target=self._rage)
        self._thread.start()

    def end(self) -> None:
        """No more harm; what was killed is running again."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _rage(self) -> None:
        luck = random.Random(self.seed)
        harms: list[tuple[int, Callable[[random.Random], None]]] = [
            (5, self._kill_worker),
            (4, self._kill_child),
            (3, self._freeze_worker),
            (2, self._restart_broker),
        ]
        if connection.vendor == "postgresql":
            harms.append((6, self._cut_connections))
        weights, acts = [weight for weight, _ in harms], [act for _, act in harms]
        try:
            spare_our_connection()
            while not self._over.wait(self.every * luck.uniform(0.5, 1.5)):
                self._replace_the_dead()
                luck.choices(acts, weights)[0](luck)
        except BaseException as error:
            self.failure = error
            raise
        finally:
            connection.close()

    def _replace_the_dead(self) -> None:
        """As whatever supervises them does: a worker whose pool cannot start ends by itself."""
        for place, worker in enumerate(self._alive):
            if worker.process.poll() is not None:
                self._alive[place] = self.processes.begin_worker(*POOL)
                self.done["workers that ended by themselves"] += 1

    def _kill_worker(self, luck: random.Random) -> None:
        place = luck.randrange(len(self._alive))
        self._alive[place].kill()
        self._alive[place] = self.processes.begin_worker(*POOL)
        self.done["workers killed"] += 1

    def _kill_child(self, luck: random.Random) -> None:
        """Only the process that does the work, so that its parent puts the message back."""
        worker = luck.choice(self._alive)
        listed = subprocess.run(
            ["ps", "--no-headers", "-o", "pid", "--ppid", str(worker.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        children = [int(line) for line in listed.stdout.split()]
        if children:
            os.kill(luck.choice(children), signal.SIGKILL)
            self.done["pool processes killed"] += 1

    def _freeze_worker(self, luck: random.Random) -> None:
        """Asleep until the leases of all it holds have run out: it wakes as a late writer."""
        worker = luck.choice(self._alive)
        worker.freeze()
        self._over.wait(LEASE_SECONDS * 1.5)
        worker.thaw()
        self.done["leases run out"] += 1

    def _restart_broker(self, luck: random.Random) -> None:
        """It comes back with nothing: every message is lost."""
        self.processes.broker.kill()
        self._over.wait(luck.uniform(0.0, 2.0))
        self.processes.broker.start()
        self.done["broker restarts"] += 1

    def _cut_connections(self, luck: random.Random) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND application_name <> %s ORDER BY pid",
                [OBSERVER],
            )
            found = [pid for (pid,) in cursor.fetchall()]
            for pid in luck.sample(found, min(len(found), luck.randint(1, 3))):
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
                self.done["connections cut"] += 1
