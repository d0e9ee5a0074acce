"""Tekton pipelines, as CloudEvents `dev.tekton.event.*` (binary or structured).

A pipeline run names its commit where Pipelines as Code labelled it, and its image by the result
IMAGE_DIGEST, which Tekton Chains reads as well.
"""

from .authentication import AnyOf
from .authentication_tokens import SharedSecret, StandardWebhooks
from .base import Fact, Headers
from .cleaning import best_commit
from .envelopes import identify
from .reading import Part
from .results import finish
from .sender import Collector, Sender

_PREFIX = "dev.tekton.event.pipelinerun."
_RESULTS = {
    "queued": "queued",
    "started": "started",
    "running": "started",
    "successful": "succeeded",
    "failed": "failed",
}
_CANCELLED = {
    "cancelled",
    "pipelineruncancelled",
    "cancelledrunfinally",
    "stoppedrunfinally",
}
_AS_CODE = "pipelinesascode.tekton.dev/"


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    event = body["type"].word() or headers.get("Ce-Type", "").strip().lower()
    state = event.removeprefix(_PREFIX).partition(".")[0]
    if not event.startswith(_PREFIX):
        return collector.leave_out(event)
    run = body["pipelineRun"] or body["data"].parsed()["pipelineRun"]
    status, metadata = run["status"], run["metadata"]
    result = _RESULTS.get(state)
    if result == "failed" and _reason(status) in _CANCELLED:
        result = "cancelled"
    marks = [metadata["annotations"], metadata["labels"]]
    completed_at = status["completionTime"].time()
    collector.add(
        Fact(
            kind="build",
            repository=next((one for mark in marks if (one := _repository(mark))), None),
            commit=best_commit(*[mark[f"{_AS_CODE}sha"].value for mark in marks]),
            name=metadata["labels", "tekton.dev/pipeline"].text()
            or run["spec", "pipelineRef", "name"].text(),
            digest=_image(status),
            result=result,
            started_at=status["startTime"].time(),
            finished_at=finish(result, completed_at),
            occurred_at=completed_at or body["time"].time() or status["startTime"].time(),
            external_id=metadata["uid"].text() or metadata["name"].text(),
        )
    )
    return None


def _reason(status: Part) -> str:
    for condition in status["conditions"]:
        if condition["type"].word() == "succeeded":
            return condition["reason"].word()
    return ""


def _repository(marks: Part) -> str | None:
    return marks[f"{_AS_CODE}repo-url"].repository()


def _image(status: Part) -> str | None:
    results = [*status["results"], *status["pipelineResults"]]
    found = {
        digest
        for one in results
        if (one["name"].text() or "").endswith("IMAGE_DIGEST") and (digest := one["value"].digest())
    }
    return found.pop() if len(found) == 1 else None


SOURCE = Sender(
    kind="tekton",
    title="Tekton",
    read=_read,
    scheme=AnyOf((StandardWebhooks(), SharedSecret(may_be_in_address=True))),
    identify=identify,
)
