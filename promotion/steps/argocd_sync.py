"""The step argocd-sync: has Argo CD bring an application to its state in git, and follows that.

By the published description of its API (argo-cd.readthedocs.io/en/stable/developer-guide/api-docs).
The sync carries the key among its infos.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from promotion.rules.settings import (
    Problem,
    check_flag,
    check_text,
    need_text,
    sets_of,
    unknown_keys,
)

from .base import StepContext, StepResult
from .jobs import BusyError, Job, Phase, follow_jobs
from .tool_api import ToolApi, ToolError

SETTINGS = ("connection", "application", "revision", "prune")
KEY_INFO = "throughline-key"
_PHASES = {
    "Running": Phase.RUNNING,
    "Terminating": Phase.RUNNING,
    "Succeeded": Phase.SUCCEEDED,
    "Failed": Phase.FAILED,
    "Error": Phase.STOPPED,
}


class ArgocdSyncStep:
    """One sync; Failed is failure, while one that was terminated or broke ends as errored."""

    kind = "argocd-sync"
    title = "Argo CD sync"
    default_timeout: timedelta | None = timedelta(minutes=30)
    is_verification = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`connection` and `application` are needed."""
        yield from unknown_keys(self.kind, settings, SETTINGS)
        yield from need_text(settings, "connection", what="the name of a connection")
        yield from need_text(settings, "application", what="the name of an application")
        yield from check_text(settings, "revision", what="a revision of its repository")
        yield from check_flag(settings, "prune")

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'shipment-api-production'."""
        return str(sets_of(inputs)[0].get("application", ""))

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: the same state is brought about, and the sync is looked up by its info first."""
        return True

    def start(self, context: StepContext) -> StepResult:
        """Find the sync or start it; raises UnreachableError, ToolError, InputError, AddressRefusedError."""
        return follow_jobs(context, _Sync)

    def look(self, context: StepContext) -> StepResult:
        """How far the sync is."""
        return follow_jobs(context, _Sync)


class _Sync:
    name = "Argo CD"

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self._api = ToolApi(str(inputs["connection"]))
        self._inputs = inputs
        self._path = f"/api/v1/applications/{quote(str(inputs['application']), safe='')}"

    def find(self, key: str, since: datetime) -> Job | None:
        return self._find(key)

    def _find(self, key: str) -> Job | None:
        """An application knows its latest operation alone, and the one that is about to begin."""
        told = self._api.get(self._path)
        state = (told.get("status") or {}).get("operationState") or {}
        if _carries(told.get("operation"), key) and not _carries(state.get("operation"), key):
            return self._job(key, "Running", "it is about to begin")
        if _carries(state.get("operation"), key):
            return self._job(key, str(state.get("phase")), str(state.get("message") or ""))
        return None

    def start(self, key: str) -> Job | None:
        body: dict[str, Any] = {
            "prune": bool(self._inputs.get("prune", False)),
            "infos": [{"name": KEY_INFO, "value": key}],
        }
        if self._inputs.get("revision"):
            body["revision"] = str(self._inputs["revision"])
        try:
            self._api.post(f"{self._path}/sync", json=body)
        except ToolError as error:
            if "already in progress" in error.sentence:
                raise BusyError(
                    "Argo CD syncs this application already; it is asked again."
                ) from error
            raise
        return self._job(key, "Running", "it was asked for")

    def look(self, job: str) -> Job | None:
        """None where another sync has taken its place: how ours ended is not kept."""
        return self._find(job)

    def _job(self, key: str, phase: str, message: str) -> Job:
        found = _PHASES.get(phase, Phase.RUNNING)
        if found is Phase.FAILED and "operation terminated" in message.lower():
            found = Phase.STOPPED
        said = " ".join(message.split())[:300].rstrip(".")
        url = f"{self._api.address}/applications/{quote(str(self._inputs['application']), safe='')}"
        return Job(key, found, f"Argo CD's sync is {phase}{': ' if said else ''}{said}", url)


def _carries(operation: Any, key: str) -> bool:
    infos = operation.get("info") or [] if isinstance(operation, Mapping) else []
    return any(one.get("name") == KEY_INFO and one.get("value") == key for one in infos)
