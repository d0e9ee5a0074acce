"""Servers that speak as much of the published APIs of other tools as starting and following a job takes.

GitHub: docs.github.com/en/rest/actions. GitLab: docs.gitlab.com/api/pipelines. Jenkins:
www.jenkins.io/doc/book/using/remote-access-api. Argo CD: its published OpenAPI description.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.parts.recording_server import Answer, Asked

JSON = {"Content-Type": "application/json"}


def say(told: Any, status: int = 200) -> Answer:
    return Answer(status, JSON, json.dumps(told).encode())


@dataclass(slots=True)
class Tool:
    """A tool: the jobs it started, the state of each, and an answer to give instead of its own."""

    jobs: list[dict[str, Any]] = field(default_factory=list)
    instead: Answer | None = None
    instead_of_start: Answer | None = None
    is_shown: bool = True

    def answer(self, asked: Asked) -> Answer:
        """One request."""
        if self.instead is not None:
            return self.instead
        parts = urlsplit(asked.path)
        query = {name: given[0] for name, given in parse_qs(parts.query).items()}
        if asked.method == "POST":
            given = self.start(unquote(parts.path), asked)
            return self.instead_of_start or given
        return self.show(unquote(parts.path), query)

    def start(self, path: str, asked: Asked) -> Answer:
        raise NotImplementedError

    def show(self, path: str, query: dict[str, str]) -> Answer:
        raise NotImplementedError

    def end(self, how: str) -> None:
        """The latest job ends: succeeded, failed or stopped."""
        raise NotImplementedError


@dataclass(slots=True)
class Github(Tool):
    """Workflow runs of one repository."""

    workflow: str = "name: Deploy\nrun-name: Deploy ${{ inputs.throughline_key }}\n"

    def start(self, path: str, asked: Asked) -> Answer:
        if path != "/repos/meridian/shop/actions/workflows/deploy.yml/dispatches":
            return say({"message": "Not Found", "status": "404"}, 404)
        given = json.loads(asked.body)
        self.jobs.append(
            {
                "id": 9000 + len(self.jobs),
                "display_title": f"Deploy {given['inputs']['throughline_key']}",
                "event": "workflow_dispatch",
                "status": "queued",
                "conclusion": None,
                "html_url": f"https://github.example.com/runs/{9000 + len(self.jobs)}",
                "inputs": given["inputs"],
            }
        )
        return Answer(204)

    def show(self, path: str, query: dict[str, str]) -> Answer:
        if path == "/repos/meridian/shop/contents/.github/workflows/deploy.yml":
            content = base64.encodebytes(self.workflow.encode()).decode()
            return say({"type": "file", "encoding": "base64", "content": content})
        if path == "/repos/meridian/shop/actions/workflows/deploy.yml/runs":
            assert query["event"] == "workflow_dispatch"
            assert query["created"].startswith(">=2026-11-23T")
            runs = self.jobs if self.is_shown else []
            return say({"total_count": len(runs), "workflow_runs": runs[::-1]})
        for run in self.jobs:
            if path == f"/repos/meridian/shop/actions/runs/{run['id']}":
                return say(run)
        return say({"message": "Not Found", "status": "404"}, 404)

    def end(self, how: str) -> None:
        words = {"succeeded": "success", "failed": "failure", "stopped": "cancelled"}
        self.jobs[-1] |= {"status": "completed", "conclusion": words[how]}


@dataclass(slots=True)
class Gitlab(Tool):
    """Pipelines of one project."""

    def start(self, path: str, asked: Asked) -> Answer:
        if path != "/api/v4/projects/meridian/shop/pipeline":
            return say({"message": "404 Project Not Found"}, 404)
        given = json.loads(asked.body)
        pipeline = {
            "id": 700 + len(self.jobs),
            "ref": given["ref"],
            "status": "created",
            "source": "api",
            "web_url": "https://gitlab.example.com/-/pipelines/1",
            "variables": given["variables"],
        }
        self.jobs.append(pipeline)
        return say({name: value for name, value in pipeline.items() if name != "variables"}, 201)

    def show(self, path: str, query: dict[str, str]) -> Answer:
        base = "/api/v4/projects/meridian/shop/pipelines"
        if path == base:
            assert (query["source"], query["ref"]) == ("api", "main")
            return say(self.jobs[::-1] if self.is_shown else [])
        for pipeline in self.jobs:
            if path == f"{base}/{pipeline['id']}":
                return say(pipeline)
            if path == f"{base}/{pipeline['id']}/variables":
                return say([{"variable_type": "env_var", **one} for one in pipeline["variables"]])
        return say({"message": "404 Not found"}, 404)

    def end(self, how: str) -> None:
        words = {"succeeded": "success", "failed": "failed", "stopped": "canceled"}
        self.jobs[-1]["status"] = words[how]


@dataclass(slots=True)
class Jenkins(Tool):
    """Builds of one job, and the queue before it."""

    is_queued: bool = False
    declared: tuple[str, ...] = ("THROUGHLINE_KEY", "VERSION")

    def start(self, path: str, asked: Asked) -> Answer:
        if path != "/job/platform/job/deploy/buildWithParameters":
            return Answer(404, body=b"<html>Not Found</html>")
        form = {name: given[0] for name, given in parse_qs(asked.body.decode()).items()}
        given = [{"name": name, "value": value} for name, value in form.items()]
        self.jobs.append(
            {
                "number": 40 + len(self.jobs),
                "url": f"https://jenkins.example.com/job/platform/job/deploy/{40 + len(self.jobs)}/",
                "building": True,
                "result": None,
                "actions": [{}, {"parameters": given}],
            }
        )
        return Answer(201, {"Location": "https://jenkins.example.com/queue/item/7/"})

    def show(self, path: str, query: dict[str, str]) -> Answer:
        shown = self.jobs if self.is_shown else []
        if path == "/queue/api/json":
            why = "Waiting for next available executor"
            items = [{"id": 7, "why": why, **build} for build in shown]
            return say({"items": items if self.is_queued else []})
        if path == "/job/platform/job/deploy/api/json":
            if query["tree"].startswith("property"):
                names = [{"name": name} for name in self.declared]
                return say({"property": [{}, {"parameterDefinitions": names}]})
            return say({"builds": [] if self.is_queued else shown[::-1]})
        for build in self.jobs:
            if path == f"/job/platform/job/deploy/{build['number']}/api/json":
                return say(build)
        return Answer(404, body=b"<html>Not Found</html>")

    def end(self, how: str) -> None:
        words = {"succeeded": "SUCCESS", "failed": "FAILURE", "stopped": "ABORTED"}
        self.jobs[-1] |= {"building": False, "result": words[how]}


@dataclass(slots=True)
class ArgoCd(Tool):
    """The operations of one application: the latest is kept, one runs at a time."""

    is_busy: bool = False

    def start(self, path: str, asked: Asked) -> Answer:
        if path != "/api/v1/applications/shop-production/sync":
            return say({"error": "application not found", "code": 5}, 404)
        if self.is_busy:
            said = "another operation is already in progress"
            return say({"error": said, "code": 9, "message": said}, 400)
        given = json.loads(asked.body)
        operation = {"info": given["infos"], "sync": {"prune": given["prune"]}}
        self.jobs.append({"operation": operation, "phase": "Running", "message": "applying"})
        return say({"operation": operation})

    def show(self, path: str, query: dict[str, str]) -> Answer:
        if path != "/api/v1/applications/shop-production":
            return say({"error": "application not found", "code": 5}, 404)
        latest = self.jobs[-1] if self.jobs and self.is_shown else None
        return say({"status": {"operationState": latest} if latest else {}})

    def end(self, how: str) -> None:
        words = {
            "succeeded": ("Succeeded", "successfully synced (all tasks run)"),
            "failed": ("Failed", "one or more objects failed to apply"),
            "stopped": ("Failed", "Operation terminated"),
        }
        self.jobs[-1]["phase"], self.jobs[-1]["message"] = words[how]
