"""An outside service as bad as real ones: slow, refusing, losing its answers, but refusing repeats by key."""

import json
import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from queue import SimpleQueue

from tests.parts.recording_server import Answer, Asked

# Of a hundred calls so many are refused for now, done without a good answer, answered after a lease.
REFUSED, LOST, SLOW = 5, 4, 2
SLOW_SECONDS = 3.0


@dataclass(slots=True)
class BadService:
    """Does what is asked once for each Idempotency-Key, and keeps what it did and what it refused to repeat."""

    seed: int
    asked: Counter[str] = field(default_factory=Counter)
    done: dict[str, str] = field(default_factory=dict)
    """Key → the version it was told to deploy."""
    repeats: Counter[str] = field(default_factory=Counter)
    changed: list[str] = field(default_factory=list)
    """Keys that came again with another body: not one effect any more."""
    deployed: SimpleQueue[tuple[str, str, str]] = field(default_factory=SimpleQueue)
    """(service, version, environment), for whoever reports what runs."""
    _bodies: dict[str, bytes] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _never: threading.Event = field(default_factory=threading.Event)

    def answer(self, asked: Asked) -> Answer:
        """One call; what happens to it depends on the seed, its key and how often it came."""
        if asked.method == "GET":
            return Answer(200, body=b"well")
        key = asked.headers["idempotency-key"]
        told = json.loads(asked.body)
        with self._lock:
            self.asked[key] += 1
            luck = random.Random(f"{self.seed} {key} {self.asked[key]}").randrange(100)
            if told["version"].endswith("-bad"):
                return Answer(422, body=b"this cannot be deployed")
            if luck < REFUSED:
                return Answer(503, body=b"not now")
            self._do(key, told, asked.body)
        if luck < REFUSED + LOST:
            return Answer(500, body=b"something broke after it was done")
        if luck < REFUSED + LOST + SLOW:
            self._never.wait(SLOW_SECONDS)
        return Answer(202, body=b"taken on")

    def _do(self, key: str, told: dict[str, str], body: bytes) -> None:
        if key in self.done:
            self.repeats[key] += 1
            if self._bodies[key] != body:
                self.changed.append(key)
            return
        self.done[key] = told["version"]
        self._bodies[key] = body
        self.deployed.put((told["service"], told["version"], told["environment"]))
