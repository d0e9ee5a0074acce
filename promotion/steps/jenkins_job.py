"""The step jenkins-job: builds a job of Jenkins and follows the build to its end.

By the remote access API (www.jenkins.io/doc/book/using/remote-access-api). The build carries the key
in the parameter THROUGHLINE_KEY, which the job must have: Jenkins drops what a job does not declare.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from promotion.exceptions import InputError
from promotion.rules.settings import Problem, need_text, sets_of, unknown_keys

from .base import StepContext, StepResult
from .jobs import Job, Phase, as_text, follow_jobs, mapping_problems
from .tool_api import ToolApi, ToolError

SETTINGS = ("connection", "job", "parameters")
KEY_PARAMETER = "THROUGHLINE_KEY"
_JOB = re.compile(r"[^/\s][^/]*(/[^/\s][^/]*)*")
_PARAMETERS = "actions[parameters[name,value]]"
_PHASES = {
    "SUCCESS": Phase.SUCCEEDED,
    "ABORTED": Phase.STOPPED,
    "NOT_BUILT": Phase.STOPPED,
}


class JenkinsJobStep:
    """One build; SUCCESS alone is success, an aborted one ends the promotion as errored."""

    kind = "jenkins-job"
    title = "Jenkins job"
    default_timeout: timedelta | None = timedelta(hours=1)
    is_verification = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`connection` and `job` are needed."""
        yield from unknown_keys(self.kind, settings, SETTINGS)
        yield from need_text(settings, "connection", what="the name of a connection")
        job = str(settings.get("job") or "")
        if not _JOB.fullmatch(job) or {".", ".."} & set(job.split("/")):
            yield "job", "job must be the name of a job, with its folders as FOLDER/NAME."
        yield from mapping_problems(settings, "parameters")

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'platform/deploy'."""
        return str(sets_of(inputs)[0].get("job", ""))

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: the build is looked up by its parameter first, among builds and in the queue."""
        return True

    def start(self, context: StepContext) -> StepResult:
        """Find the build or start it; raises UnreachableError, ToolError, InputError, AddressRefusedError."""
        return follow_jobs(context, _Build)

    def look(self, context: StepContext) -> StepResult:
        """How far the build is."""
        return follow_jobs(context, _Build)


class _Build:
    name = "Jenkins"

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self._api = ToolApi(str(inputs["connection"]))
        self._inputs = inputs
        parts = str(inputs["job"]).split("/")
        self._path = "".join(f"/job/{quote(part, safe='')}" for part in parts)

    def find(self, key: str, since: datetime) -> Job | None:
        tree = f"builds[number,url,building,result,{_PARAMETERS}]{{0,100}}"
        for build in self._api.get(f"{self._path}/api/json", tree=tree).get("builds", []):
            if _carries(build, key):
                return _job(build)
        queue = self._api.get("/queue/api/json", tree=f"items[id,why,{_PARAMETERS}]")
        for item in queue.get("items", []):
            if _carries(item, key):
                why = str(item.get("why") or "").rstrip(".")
                return Job("", Phase.RUNNING, f"Jenkins has it in its queue: {why}")
        return None

    def start(self, key: str) -> Job | None:
        self._check_that_builds_carry_the_key()
        given = self._inputs.get("parameters") or {}
        form = {str(name): as_text(value) for name, value in given.items()}
        self._api.post(f"{self._path}/buildWithParameters", form={**form, KEY_PARAMETER: key})
        return None

    def look(self, job: str) -> Job | None:
        try:
            told = self._api.get(f"{self._path}/{job}/api/json", tree="number,url,building,result")
        except ToolError as error:
            if error.status == 404:  # deleted
                return None
            raise
        return _job(told)

    def _check_that_builds_carry_the_key(self) -> None:
        told = self._api.get(f"{self._path}/api/json", tree="property[parameterDefinitions[name]]")
        declared = {
            one.get("name")
            for entry in told.get("property", [])
            for one in entry.get("parameterDefinitions") or []
        }
        if KEY_PARAMETER not in declared:
            raise InputError(
                f"The job {self._inputs['job']} has no parameter {KEY_PARAMETER}, so its build could"
                " not be found. Nothing was started. Add that text parameter to the job."
            )


def _carries(thing: Mapping[str, Any], key: str) -> bool:
    return any(
        one.get("name") == KEY_PARAMETER and one.get("value") == key
        for action in thing.get("actions", [])
        for one in action.get("parameters") or []
    )


def _job(build: Mapping[str, Any]) -> Job:
    number, result = str(build["number"]), build.get("result")
    url = str(build.get("url") or "")
    if build.get("building") or not result:
        return Job(number, Phase.RUNNING, f"Jenkins runs build {number}", url)
    phase = _PHASES.get(str(result), Phase.FAILED)
    return Job(number, phase, f"Jenkins's build {number} ended: {result}", url)
