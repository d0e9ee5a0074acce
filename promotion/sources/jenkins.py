"""Jenkins with the notification plugin (JSON). Its payload carries no environment.

A build goes by its job and number: the number alone is one of every job.
"""

from typing import Any

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import best_commit, tag_of_ref
from .reading import Part
from .results import begin, finish, result_of
from .sender import Collector, Sender

_PHASES = {"queued": "queued", "started": "started"}


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    build = body["build"]
    phase = build["phase"].word()
    if phase in _PHASES:
        result: str | None = _PHASES[phase]
    elif phase in {"completed", "finalized"}:
        result = result_of(build["status"])
    else:
        return collector.leave_out(f"of phase {phase}" if phase else None)
    # The plugin gives the time of the phase: the start, or the end.
    at = build["timestamp"].time()
    scm, number = build["scm"], build["number"].text()
    job = (body["url"].text() or body["name"].text() or "").strip("/").removeprefix("job/")
    collector.add(
        Fact(
            kind="build",
            repository=scm["url"].repository(),
            commit=best_commit(scm["commit"].value),
            version=tag_of_ref(scm["branch"].value),
            name=body["name"].text(),
            result=result,
            started_at=begin(result, at),
            finished_at=finish(result, at),
            occurred_at=at,
            external_id=f"{job.replace('/job/', '/')}#{number}" if job and number else None,
            url=build["full_url"].text(),
            details=_details(build),
        )
    )
    return None


def _details(build: Part) -> dict[str, Any]:
    """Names of artifacts; and parameters, for mappings that say which holds an environment."""
    parameters = build["parameters"]
    texts = {name: parameters[name].text() for name in parameters.names()[:100]}
    details = {
        "artifacts": build["artifacts"].names()[:1000],
        "parameters": {name: text for name, text in texts.items() if text},
    }
    return {name: value for name, value in details.items() if value}


SOURCE = Sender(
    kind="jenkins",
    title="Jenkins",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
)
