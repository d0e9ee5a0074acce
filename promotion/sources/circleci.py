"""CircleCI outbound webhooks. Payloads: circleci.com/docs, "Outbound webhooks reference"."""

from .authentication import HexSignature
from .base import Fact, Headers
from .cleaning import best_commit
from .reading import Part
from .results import finish, result_of
from .sender import Collector, Sender


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    event = body["type"].word() or headers.get("Circleci-Event-Type", "").lower()
    if event != "workflow-completed":
        return collector.leave_out(event)
    workflow, pipeline = body["workflow"], body["pipeline"]
    vcs, git = pipeline["vcs"], pipeline["trigger_parameters", "git"]
    result = result_of(workflow["status"])
    stopped_at = workflow["stopped_at"].time()
    collector.add(
        Fact(
            kind="build",
            repository=vcs["target_repository_url"].repository()
            or vcs["origin_repository_url"].repository()
            or git["checkout_url"].repository(),
            commit=best_commit(vcs["revision"].value) or best_commit(git["checkout_sha"].value),
            version=vcs["tag"].version() or git["tag"].version(),
            name=workflow["name"].text(),
            result=result,
            started_at=workflow["created_at"].time(),
            finished_at=stopped_at if result is None else finish(result, stopped_at),
            occurred_at=body["happened_at"].time() or stopped_at,
            external_id=workflow["id"].text(),
            url=workflow["url"].text(),
        )
    )
    return None


SOURCE = Sender(
    kind="circleci",
    title="CircleCI",
    read=_read,
    scheme=HexSignature("circleci-signature", prefix="v1=", several=True),
    marks=("Circleci-Event-Type", "circleci-signature"),
    identify=lambda body: body["id"].text(),
)
