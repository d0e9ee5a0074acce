"""Spinnaker: the events that echo's REST listener passes on, bare or wrapped in `payload`.

A pipeline is a build, as other pipelines are; a stage that deploys is a deployment of the
application to the account. Other stages and single tasks are parts.
"""

from datetime import datetime

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import clean_image
from .reading import Part
from .results import finish, result_of
from .sender import Collector, Sender

_PHASES = {"starting": "started", "complete": "succeeded", "failed": "failed"}
_STATUS = {"terminal": "failed", "failed_continue": "failed", "not_started": "queued"}
_DEPLOYS = {"deploymanifest", "createservergroup"}


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    event = body["payload"] if body["payload", "details"].is_object else body
    name = event["details", "type"].word()
    origin, _, rest = name.partition(":")
    subject, _, phase = rest.partition(":")
    if origin != "orca" or phase not in _PHASES or subject not in {"pipeline", "stage"}:
        return collector.leave_out(name or None)
    execution = event["content", "execution"]
    if subject == "pipeline":
        return _read_pipeline(event, execution, _PHASES[phase], collector)
    return _read_stage(event, execution, _PHASES[phase], collector)


def _read_pipeline(event: Part, execution: Part, said: str, collector: Collector) -> None:
    # A pipeline that was stopped is told as failed; its status says which.
    result = "cancelled" if execution["canceled"].is_true else None
    result = result or result_of(execution["status"], **_STATUS) or said
    ended_at = execution["endTime"].time()
    trigger = execution["trigger"]
    application, name = _application(event, execution), execution["name"].text()
    collector.add(
        Fact(
            kind="build",
            name=f"{application}/{name}" if application and name else name,
            commit=trigger["hash"].commit() or trigger["buildInfo", "scm", 0, "sha1"].commit(),
            digest=_digest(trigger),
            result=result,
            started_at=execution["startTime"].time(),
            finished_at=finish(result, ended_at),
            occurred_at=finish(result, ended_at) or _created_at(event),
            external_id=execution["id"].text() or event["content", "executionId"].text(),
            actor=trigger["user"].text() or execution["authentication", "user"].text(),
        )
    )


def _read_stage(event: Part, execution: Part, result: str, collector: Collector) -> None:
    content = event["content"]
    context = content["context"]
    account = context["account"].exact()
    kind = context["stageDetails", "type"].word()
    if kind not in _DEPLOYS or account is None:
        return collector.leave_out(f"of a stage {kind}", "only a stage that deploys is told")
    if content["canceled"].is_true:
        result = "cancelled"
    ended_at = content["endTime"].time() or _created_at(event)
    run = execution["id"].text() or content["executionId"].text()
    name = context["stageDetails", "name"].text() or content["name"].text() or kind
    return collector.add(
        Fact(
            kind="deployment",
            service=_application(event, execution),
            environment=account,
            digest=_digest(execution["trigger"]),
            result=result,
            started_at=content["startTime"].time(),
            finished_at=finish(result, ended_at),
            occurred_at=_created_at(event) or ended_at,
            external_id=f"{run}/{name}" if run else None,
            run_id=run,
            mechanism="automated" if run else None,
        )
    )


def _application(event: Part, execution: Part) -> str | None:
    return execution["application"].text() or event["details", "application"].text()


def _created_at(event: Part) -> datetime | None:
    return event["details", "created"].time()


def _digest(trigger: Part) -> str | None:
    """The digest that set the pipeline off; of several images none is the one for certain."""
    found = {clean_image(one["reference"].value).digest for one in trigger["artifacts"]} - {None}
    return found.pop() if len(found) == 1 else None


SOURCE = Sender(
    kind="spinnaker",
    title="Spinnaker",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
)
