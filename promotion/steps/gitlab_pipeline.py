"""The step gitlab-pipeline: runs a pipeline of GitLab and follows it to its end.

By docs.gitlab.com/api/pipelines. The pipeline carries the key in the variable THROUGHLINE_KEY.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from promotion.rules.settings import Problem, need_text, sets_of, unknown_keys

from .base import StepContext, StepResult
from .jobs import Job, Phase, as_text, follow_jobs, mapping_problems
from .tool_api import ToolApi, ToolError

SETTINGS = ("connection", "project", "ref", "variables")
KEY_VARIABLE = "THROUGHLINE_KEY"
# Pipelines made by API since the promotion began; more than these no lane starts.
MOST_LOOKED_AT = 100
_PHASES = {
    "success": Phase.SUCCEEDED,
    "failed": Phase.FAILED,
    "skipped": Phase.FAILED,
    "canceled": Phase.STOPPED,
}


class GitlabPipelineStep:
    """One pipeline; success alone is success, a cancelled one ends the promotion as errored."""

    kind = "gitlab-pipeline"
    title = "GitLab pipeline"
    default_timeout: timedelta | None = timedelta(hours=1)
    is_verification = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`connection`, `project` and `ref` are needed."""
        yield from unknown_keys(self.kind, settings, SETTINGS)
        yield from need_text(settings, "connection", what="the name of a connection")
        yield from need_text(settings, "project", what="the path of a project, as GROUP/NAME")
        yield from need_text(settings, "ref", what="a branch or tag")
        yield from mapping_problems(settings, "variables")

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'main of meridian/shipment-api'."""
        first = sets_of(inputs)[0]
        return f"{first.get('ref', '')} of {first.get('project', '')}"

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: the pipeline is looked up by its variable first."""
        return True

    def start(self, context: StepContext) -> StepResult:
        """Find the pipeline or start it; raises UnreachableError, ToolError, InputError, AddressRefusedError."""
        return follow_jobs(context, _Pipeline)

    def look(self, context: StepContext) -> StepResult:
        """How far the pipeline is."""
        return follow_jobs(context, _Pipeline)


class _Pipeline:
    name = "GitLab"

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self._api = ToolApi(str(inputs["connection"]))
        self._inputs = inputs
        self._project = f"/api/v4/projects/{quote(str(inputs['project']), safe='')}"

    def find(self, key: str, since: datetime) -> Job | None:
        pipelines = self._api.get(
            f"{self._project}/pipelines",
            source="api",
            ref=str(self._inputs["ref"]),
            updated_after=f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            order_by="id",
            sort="desc",
            per_page=str(MOST_LOOKED_AT),
        )
        for pipeline in pipelines:
            variables = self._api.get(f"{self._project}/pipelines/{pipeline['id']}/variables")
            if any(one["key"] == KEY_VARIABLE and one["value"] == key for one in variables):
                return _job(pipeline)
        return None

    def start(self, key: str) -> Job | None:
        given = {**(self._inputs.get("variables") or {}), KEY_VARIABLE: key}
        told = self._api.post(
            f"{self._project}/pipeline",
            json={
                "ref": str(self._inputs["ref"]),
                "variables": [
                    {"key": str(name), "value": as_text(value)} for name, value in given.items()
                ],
            },
        )
        return _job(told) if isinstance(told, Mapping) and "id" in told else None

    def look(self, job: str) -> Job | None:
        try:
            return _job(self._api.get(f"{self._project}/pipelines/{job}"))
        except ToolError as error:
            if error.status == 404:  # deleted
                return None
            raise


def _job(pipeline: Mapping[str, Any]) -> Job:
    state = str(pipeline.get("status"))
    phase = _PHASES.get(state, Phase.RUNNING)
    said = f"GitLab's pipeline {pipeline['id']} is {state}"
    return Job(str(pipeline["id"]), phase, said, str(pipeline.get("web_url") or ""))
