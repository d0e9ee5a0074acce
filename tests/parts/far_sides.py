"""Far sides that can be held at a moment: a service that refuses repeats, a registry behind a gate, a probe."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.parts.moments import Moments
from tests.parts.recording_server import Answer, Asked, RecordingServer, run_recording_server

# A client talks to us, not to the one behind us, about these.
_OF_ONE_CONNECTION = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})


@dataclass(slots=True)
class CountingService:
    """Does what is asked once for each Idempotency-Key and gives the stored answer to a repeat."""

    moments: Moments = field(default_factory=Moments)
    done: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: Asked) -> Answer:
        """Do it, unless it is done."""
        key = asked.headers["idempotency-key"]
        self.moments.before_doing.pass_through()
        with self._lock:
            if key in self.done:
                self.repeats[key] += 1
            else:
                self.done[key] += 1
        self.moments.before_answering.pass_through()
        return Answer(202, body=b"taken on")


@dataclass(slots=True)
class Probe:
    """Answers that it is well; only reads, so both moments are one."""

    moments: Moments = field(default_factory=Moments)

    def answer(self, asked: Asked) -> Answer:
        """200."""
        self.moments.before_doing.pass_through()
        self.moments.before_answering.pass_through()
        return Answer(200, body=b"well")


@contextmanager
def run_gate(
    registry: str, *, holds: Callable[[Asked], bool], moments: Moments
) -> Iterator[RecordingServer]:
    """Stand before a registry and pass everything on; requests that `holds` picks stop at the bars."""
    with httpx.Client(timeout=60.0, trust_env=False) as client:

        def answer(asked: Asked) -> Answer:
            is_held = holds(asked)
            if is_held:
                moments.before_doing.pass_through()
            answered = client.request(
                asked.method, f"{registry}{asked.path}", headers=asked.headers, content=asked.body
            )
            if is_held:
                moments.before_answering.pass_through()
            headers = {
                name: value
                for name, value in answered.headers.items()
                if name.lower() not in _OF_ONE_CONNECTION
            }
            if asked.method == "HEAD" and "content-length" in answered.headers:
                headers["Content-Length"] = answered.headers["content-length"]
            return Answer(answered.status_code, headers, answered.content)

        with run_recording_server(answer) as server:
            yield server


def is_blob_upload(asked: Asked) -> bool:
    """The bytes of a layer or config on their way to the registry."""
    return asked.method == "PATCH" and "/blobs/uploads/" in asked.path


def is_tag(asked: Asked) -> bool:
    """The last write of a copy: the manifest under its tag."""
    return asked.method == "PUT" and re.search(r"/manifests/(?!sha256:)", asked.path) is not None
