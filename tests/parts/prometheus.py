"""A server that speaks the query API of Prometheus, by its published description.

prometheus.io/docs/prometheus/latest/querying/api: POST /api/v1/query with a form; success and error
bodies; values are texts beside their time.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.parts.recording_server import Answer, Asked, RecordingServer, run_recording_server


@dataclass(slots=True)
class Metrics:
    """What each query gives: the values of its series in turn, the last list for ever."""

    values: dict[str, list[list[str]]] = field(default_factory=dict)
    status: int = 200
    server: RecordingServer | None = None

    @property
    def address(self) -> str:
        assert self.server is not None
        return self.server.base_url

    def answer(self, asked: Asked) -> Answer:
        """One instant query."""
        if self.status != 200:
            return Answer(self.status, body=b"upstream is away")
        if (asked.method, asked.path) != ("POST", "/api/v1/query"):
            return Answer(404, body=b"404 page not found\n")
        form = {name: given[0] for name, given in parse_qs(asked.body.decode()).items()}
        query, at = form["query"], float(form["time"])
        if query.endswith("["):
            return _error(400, "bad_data", f'invalid parameter "query": parse error: {query}')
        if query.endswith("]"):
            return _success("matrix", [{"metric": {}, "values": [[at, "1"]]}])
        turns = self.values.get(query, [[]])
        now = turns.pop(0) if len(turns) > 1 else turns[0]
        series = [
            {"metric": {"instance": str(number)}, "value": [at, value]}
            for number, value in enumerate(now)
        ]
        return _success("vector", series)


def _success(kind: str, result: Any) -> Answer:
    body = {"status": "success", "data": {"resultType": kind, "result": result}}
    return Answer(200, {"Content-Type": "application/json"}, json.dumps(body).encode())


def _error(status: int, kind: str, said: str) -> Answer:
    body = {"status": "error", "errorType": kind, "error": said}
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(body).encode())


@contextmanager
def run_metrics(**values: list[list[str]]) -> Iterator[Metrics]:
    """Serve those queries until the block ends."""
    metrics = Metrics(dict(values))
    with run_recording_server(metrics.answer) as server:
        metrics.server = server
        yield metrics
