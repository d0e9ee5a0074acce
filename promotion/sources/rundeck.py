"""Rundeck's notifications by webhook (JSON): runs of its jobs.

A run says neither repository nor environment; its options are kept, for mappings that say which
holds an environment.
"""

from datetime import datetime

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .reading import Part
from .results import finish, result_of
from .sender import Collector, Sender

_TRIGGERS = {"start": "started", "success": "succeeded", "failure": "failed"}


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    trigger = body["trigger"].word() or headers.get("X-Rundeck-Notification-Trigger", "").lower()
    run = body["execution"]
    if trigger not in _TRIGGERS or not run.is_object:
        return collector.leave_out(trigger or None, "it tells no start or end of a run")
    # A run somebody stopped comes as a failure whose status says so.
    result = result_of(run["status"], **{"failed-with-retry": "failed"}) or _TRIGGERS[trigger]
    job = run["job"]
    group, name = job["group"].text(), job["name"].text()
    started_at, ended_at = _time(run, "date-started"), _time(run, "date-ended")
    options = job["options"]
    texts = {one: text for one in options.names()[:100] if (text := options[one].text())}
    return collector.add(
        Fact(
            kind="build",
            name=f"{group}/{name}" if group and name else name,
            result=result,
            started_at=started_at,
            finished_at=finish(result, ended_at),
            occurred_at=finish(result, ended_at) or started_at,
            external_id=run["id"].text() or body["executionId"].text(),
            url=run["permalink"].text() or run["href"].text(),
            actor=run["user"].text(),
            details={"parameters": texts} if texts else {},
        )
    )


def _time(run: Part, name: str) -> datetime | None:
    return run[name, "unixtime"].time() or run[name, "date"].time()


SOURCE = Sender(
    kind="rundeck",
    title="Rundeck",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
    marks=("X-Rundeck-Notification-Trigger",),
)
