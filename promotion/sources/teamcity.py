"""TeamCity with the plugin tcWebHooks (JSON)."""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import best_commit
from .reading import Part
from .results import result_of
from .sender import Collector, Sender

_FINISHED = {
    "buildfinished",
    "buildsuccessful",
    "buildfailed",
    "buildfixed",
    "buildbroken",
}
_COMMIT = "build.vcs.number"


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    build = body["build"]
    event = build["notifyType"].word()
    if event == "buildinterrupted":
        result: str | None = "cancelled"
    elif event in _FINISHED:
        result = result_of(build["buildResult"])
    else:
        return collector.leave_out(build["notifyType"].text())
    finished_at = build["buildFinishTime"].time()
    collector.add(
        Fact(
            kind="build",
            commit=_commit(build),
            name=build["buildFullName"].text() or build["buildName"].text(),
            result=result,
            started_at=build["buildStartTime"].time(),
            finished_at=finished_at,
            occurred_at=finished_at or build["currentTime"].time(),
            external_id=build["buildId"].text(),
            url=build["buildStatusUrl"].text(),
            actor=build["triggeredBy"].text(),
        )
    )
    return None


def _commit(build: Part) -> str | None:
    """The revision, a property of the build where there is one repository."""
    if commit := build["vcsRevision"].commit() or build[_COMMIT].commit():
        return commit
    for place in ("teamcityProperties", "extraParameters"):
        properties = build[place]
        values = [one["value"] for one in properties if one["name"].text() == _COMMIT]
        if commit := best_commit(properties[_COMMIT].value, *[one.value for one in values]):
            return commit
    return None


SOURCE = Sender(
    kind="teamcity",
    title="TeamCity",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
)
