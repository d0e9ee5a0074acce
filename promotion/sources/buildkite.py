"""Buildkite webhooks. Payloads: buildkite.com/docs, "Build events"."""

from .authentication import AnyOf, SharedToken, TimedSignature
from .base import Delivery, Fact, Headers
from .cleaning import best_commit
from .reading import Part
from .results import finish, result_of
from .sender import Collector, Sender

_EVENTS = {
    "build.scheduled": "queued",
    "build.running": "started",
    "build.finished": None,
}


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    event = body["event"].word() or headers.get("X-Buildkite-Event", "").lower()
    if event not in _EVENTS:
        return collector.leave_out(event)
    build, pipeline = body["build"], body["pipeline"]
    # A build blocked by a step that waits for a person has begun and goes on later.
    result = result_of(build["state"], blocked="started") or _EVENTS[event]
    started_at, finished_at = build["started_at"].time(), build["finished_at"].time()
    collector.add(
        Fact(
            kind="build",
            repository=pipeline["repository"].repository(),
            commit=best_commit(build["commit"].value),
            version=build["tag"].version(),
            name=pipeline["slug"].text() or pipeline["name"].text(),
            result=result,
            started_at=started_at,
            finished_at=finish(result, finished_at),
            occurred_at=finished_at or started_at or build["created_at"].time(),
            external_id=build["id"].text(),
            url=build["web_url"].text() or build["url"].text(),
            actor=build["creator", "name"].text(),
        )
    )
    return None


def _signature(delivery: Delivery) -> tuple[str, list[str]]:
    parts = dict(
        one.strip().partition("=")[::2]
        for one in delivery.headers.get("X-Buildkite-Signature", "").split(",")
    )
    return parts.get("timestamp", ""), [parts.get("signature", "").lower()]


SOURCE = Sender(
    kind="buildkite",
    title="Buildkite",
    read=_read,
    scheme=AnyOf(
        (
            TimedSignature("X-Buildkite-Signature", _signature, b"."),
            SharedToken("X-Buildkite-Token"),
        )
    ),
    marks=("X-Buildkite-Event",),
)
