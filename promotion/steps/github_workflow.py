"""The step github-workflow: runs a workflow of GitHub Actions and follows it to its end.

By docs.github.com/en/rest/actions (workflows, workflow-runs). A dispatch names no run, so the run is
found by the key in its name, which the workflow must put there:

    run-name: Deploy ${{ inputs.throughline_key }}
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from promotion.exceptions import InputError
from promotion.rules.settings import Problem, need_text, sets_of, unknown_keys

from .base import StepContext, StepResult
from .jobs import Job, Phase, as_text, follow_jobs, mapping_problems, names_key
from .tool_api import ToolApi

SETTINGS = ("connection", "repository", "workflow", "ref", "inputs")
KEY_INPUT = "throughline_key"
MOST_PAGES = 5
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_WORKFLOW = re.compile(r"[\w.-]+\.ya?ml", re.ASCII)
_PHASES = {"success": Phase.SUCCEEDED, "cancelled": Phase.STOPPED, "stale": Phase.STOPPED}


class GithubWorkflowStep:
    """One run; success alone is success, a cancelled one ends the promotion as errored."""

    kind = "github-workflow"
    title = "GitHub workflow"
    default_timeout: timedelta | None = timedelta(hours=1)
    is_verification = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`connection`, `repository`, `workflow` and `ref` are needed."""
        yield from unknown_keys(self.kind, settings, SETTINGS)
        yield from need_text(settings, "connection", what="the name of a connection")
        yield from need_text(settings, "ref", what="a branch or tag that has the workflow")
        if not _REPOSITORY.fullmatch(str(settings.get("repository", ""))):
            yield "repository", "repository must be OWNER/NAME."
        if not _WORKFLOW.fullmatch(str(settings.get("workflow", ""))):
            yield "workflow", "workflow must be the name of its file, such as deploy.yml."
        yield from mapping_problems(settings, "inputs")

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'deploy.yml of meridian/shipment-api'."""
        first = sets_of(inputs)[0]
        return f"{first.get('workflow', '')} of {first.get('repository', '')}"

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: the run is looked up by its name first, and no workflow that names none is started."""
        return True

    def start(self, context: StepContext) -> StepResult:
        """Find the run or start it; raises UnreachableError, ToolError, InputError, AddressRefusedError."""
        return follow_jobs(context, _Workflow)

    def look(self, context: StepContext) -> StepResult:
        """How far the run is."""
        return follow_jobs(context, _Workflow)


class _Workflow:
    name = "GitHub"

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self._api = ToolApi(str(inputs["connection"]), _HEADERS)
        self._inputs = inputs
        self._repository = f"/repos/{inputs['repository']}"
        self._workflow = quote(str(inputs["workflow"]), safe="")

    def find(self, key: str, since: datetime) -> Job | None:
        for page in range(1, MOST_PAGES + 1):
            told = self._api.get(
                f"{self._repository}/actions/workflows/{self._workflow}/runs",
                event="workflow_dispatch",
                created=f">={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                per_page="100",
                page=str(page),
            )
            runs = told.get("workflow_runs", [])
            for run in runs:
                if names_key(run.get("display_title"), key):
                    return _job(run)
            if len(runs) < 100:
                break
        return None

    def start(self, key: str) -> Job | None:
        self._check_that_runs_are_named()
        given = self._inputs.get("inputs") or {}
        values = {str(name): as_text(value) for name, value in given.items()}
        self._api.post(
            f"{self._repository}/actions/workflows/{self._workflow}/dispatches",
            json={"ref": str(self._inputs["ref"]), "inputs": {**values, KEY_INPUT: key}},
        )
        return None

    def look(self, job: str) -> Job | None:
        return _job(self._api.get(f"{self._repository}/actions/runs/{job}"))

    def _check_that_runs_are_named(self) -> None:
        """A run without the key in its name could neither be found nor be kept from running twice."""
        told = self._api.get(
            f"{self._repository}/contents/.github/workflows/{self._workflow}",
            ref=str(self._inputs["ref"]),
        )
        try:
            text = base64.b64decode(str(told.get("content", ""))).decode(errors="replace")
        except binascii.Error:
            text = ""
        if not re.search(rf"^run-name:.*\b{KEY_INPUT}\b", text, re.MULTILINE):
            raise InputError(
                f"{self._inputs['workflow']} does not name its runs by the key, so its run could not"
                f" be found. Nothing was started. Add an input {KEY_INPUT} to workflow_dispatch and"
                f" 'run-name: … ${{{{ inputs.{KEY_INPUT} }}}}' to the workflow."
            )


def _job(run: Mapping[str, Any]) -> Job:
    state, conclusion = str(run.get("status")), run.get("conclusion")
    url = str(run.get("html_url") or "")
    if state != "completed":
        return Job(str(run["id"]), Phase.RUNNING, f"GitHub's run is {state}", url)
    phase = _PHASES.get(str(conclusion), Phase.FAILED)
    return Job(str(run["id"]), phase, f"GitHub's run ended: {conclusion}", url)
