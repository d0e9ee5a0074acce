"""Starting another tool's job once, and following it to its end.

The job carries the step's key, so that before anything is started the tool is asked whether it has
been already: a worker that died in between starts nothing twice.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from promotion.exceptions import UnreachableError
from promotion.rules.settings import Problem, sets_of

from .base import Outcome, StepContext, StepResult
from .tool_api import AnswerLostError

LOOK_AGAIN_IN = timedelta(seconds=10)
# A tool that took the request shows the job within this time, or it is not known what became of it.
APPEARS_WITHIN = timedelta(minutes=10)
# One that was seen is gone for good when it was not seen for so long.
GONE_AFTER = timedelta(minutes=1)
# The tool's clock may be behind ours.
CLOCKS_DIFFER_BY = timedelta(minutes=10)


class Phase(StrEnum):
    """How far a job is. STOPPED: somebody cancelled it or the tool broke, which says nothing of the change."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its tool tells of it; `id` is empty while it has none (it is queued)."""

    id: str
    phase: Phase
    said: str
    url: str = ""


class BusyError(UnreachableError):
    """The tool takes no job now; it is asked again, as often as the step has time."""


class JobTool(Protocol):
    """One kind of job of one tool."""

    name: str

    def find(self, key: str, since: datetime) -> Job | None:
        """The job that carries the key, None where there is none; raises UnreachableError, ToolError."""
        ...

    def start(self, key: str) -> Job | None:
        """Starts it, and gives it where the tool answers with it; raises as find does, and BusyError."""
        ...

    def look(self, job: str) -> Job | None:
        """The job of that id, None where it is no longer there."""
        ...


def follow_jobs(
    context: StepContext, open_tool: Callable[[Mapping[str, Any]], JobTool]
) -> StepResult:
    """Start or look at the job of each target in turn; ended ones are not asked again."""
    before: Mapping[str, Any] = context.state.get("jobs", {})
    jobs: dict[str, dict[str, Any]] = {}
    messages: list[str] = []
    for inputs in sets_of(context.inputs):
        target = str(inputs.get("target", ""))
        known = dict(before.get(target, {}))
        tool = open_tool(inputs)
        if known.get("phase", Phase.RUNNING) == Phase.RUNNING:
            key = f"{context.key}-{target}" if target else context.key
            known = _follow(context, tool, key, known)
        jobs[target] = known
        messages.append(f"{target}: {known['said']}" if target else str(known["said"]))
        ended = _ended(known, messages[-1], {"jobs": jobs})
        if ended is not None:
            return ended
    if all(job.get("phase") == Phase.SUCCEEDED for job in jobs.values()):
        return StepResult(Outcome.SUCCEEDED, "; ".join(messages) + ".", {"jobs": jobs})
    return StepResult(
        Outcome.WAITING, "; ".join(messages) + ".", {"jobs": jobs}, look_again_in=LOOK_AGAIN_IN
    )


def _ended(known: Mapping[str, Any], said: str, output: Mapping[str, Any]) -> StepResult | None:
    if known.get("is_lost"):
        message = (
            f"{said}, so what became of the job is not known."
            " Say whether it is done, or have it repeated, or give up."
        )
        return StepResult(Outcome.UNKNOWN, message, output)
    if known.get("phase") == Phase.FAILED:
        return StepResult(Outcome.FAILED, f"{said}.", output)
    if known.get("phase") == Phase.STOPPED:
        message = f"{said}; what it had done stays as it is. The promotion may be tried again."
        return StepResult(Outcome.ERRORED, message, output)
    return None


def _follow(context: StepContext, tool: JobTool, key: str, known: dict[str, Any]) -> dict[str, Any]:
    """One look at one job; starts it where there is none and none was asked for."""
    if not known.get("seen_at"):
        return _begin(context, tool, key, known)
    try:
        job = tool.look(str(known["id"])) if known.get("id") else tool.find(key, _since(context))
    except UnreachableError as error:
        return {**known, "said": error.sentence.rstrip(".")}
    if job is not None:
        return _seen(job, context.at)
    unseen = context.at - datetime.fromisoformat(known["seen_at"])
    is_lost = unseen > (GONE_AFTER if known.get("id") else APPEARS_WITHIN)
    return {**known, "said": f"{tool.name} does not show the job", "is_lost": is_lost}


def _begin(context: StepContext, tool: JobTool, key: str, known: dict[str, Any]) -> dict[str, Any]:
    job = tool.find(key, _since(context))
    if job is not None:
        return _seen(job, context.at)
    if context.should_stop():
        return {**known, "said": f"Nothing was started in {tool.name}"}
    try:
        job = tool.start(key)
    except BusyError as error:
        return {**known, "said": error.sentence.rstrip(".")}
    except AnswerLostError as error:
        # It may have been started, and shows soon if so; to start it again at once could do it twice.
        return {"seen_at": context.at.isoformat(), "said": error.sentence.rstrip(".")}
    if job is not None:
        return _seen(job, context.at)
    return {"seen_at": context.at.isoformat(), "said": f"{tool.name} was asked to start a job"}


def _seen(job: Job, at: datetime) -> dict[str, Any]:
    return {
        "id": job.id,
        "phase": job.phase.value,
        "said": job.said,
        "url": job.url,
        "seen_at": at.isoformat(),
    }


def _since(context: StepContext) -> datetime:
    return (context.promotion.started_at or context.begun_at) - CLOCKS_DIFFER_BY


def names_key(text: object, key: str) -> bool:
    """Is the key a word of the text? That of step 1 is none of step 10's."""
    return re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", str(text)) is not None


def mapping_problems(settings: Mapping[str, Any], name: str) -> Iterator[Problem]:
    """A problem where there is something else than a mapping of texts, numbers and flags."""
    value = settings.get(name)
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield name, f"{name} must be a mapping of names to values."
        return
    for one, given in value.items():
        if not isinstance(given, str | int | float | bool):
            yield f"{name}.{one}", f"{one} must be a text, a number, or true or false."


def as_text(value: object) -> str:
    """A value as tools write it: true and false in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)
