"""Buildbot: the reporter that posts builds (HttpStatusPush), and its plain form with `event`."""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import clean_repository
from .reading import Part
from .results import begin, finish
from .sender import Collector, Sender

# Numbers as in Buildbot's documentation, "Build result codes"; a build tried again goes on anew.
_RESULTS = {
    "0": "succeeded",
    "1": "succeeded",
    "2": "failed",
    "3": "cancelled",
    "4": "failed",
    "5": "cancelled",
    "6": "cancelled",
}


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    event = body["event"].word()
    is_over = event == "finished" or body["complete"].is_true
    if event not in {"", "new", "finished"} or not body["buildid"]:
        return collector.leave_out(event or None)
    result = _RESULTS.get(body["results"].text() or "") if is_over else "started"
    at = body["timestamp"].time()
    stamp = body["buildset", "sourcestamps"]
    source = stamp[0] if len(stamp) == 1 else Part(None)
    builder = body["builder", "name"].text() or body["buildername"].text()
    project, number = body["project"].text(), body["buildid"].text()
    return collector.add(
        Fact(
            kind="build",
            repository=clean_repository(source["repository"].value),
            commit=source["revision"].commit() or body["properties", "got_revision", 0].commit(),
            name=builder,
            result=result,
            started_at=body["started_at"].time() or begin(result, at),
            finished_at=finish(result, body["complete_at"].time() or at),
            occurred_at=at or body["complete_at"].time() or body["started_at"].time(),
            external_id=f"{project}#{number}" if project and number else number,
            url=body["url"].text(),
        )
    )


SOURCE = Sender(
    kind="buildbot",
    title="Buildbot",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
)
