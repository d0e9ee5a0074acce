"""Semaphore: 2.0 notifications of pipelines, and the classic webhooks of builds and deploys."""

from .authentication import AnyOf, HexSignature
from .authentication_tokens import SharedSecret
from .base import FINAL_RESULTS, Fact, Headers
from .cleaning import best_commit, repository_of_link, tag_of_ref
from .reading import Part
from .results import result_of
from .sender import Collector, Sender


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    event = body["event"].word()
    if body["pipeline"].is_object:
        _read_pipeline(body, collector)
    elif event in {"build", "deploy"}:
        _read_classic(body, collector, is_deployment=event == "deploy")
    else:
        collector.leave_out(event)


def _read_pipeline(body: Part, collector: Collector) -> None:
    pipeline, revision = body["pipeline"], body["revision"]
    result = result_of(pipeline["result"])
    if result not in FINAL_RESULTS:
        return collector.leave_out("of a pipeline", "the pipeline has not ended")
    collector.add(
        Fact(
            kind="build",
            repository=body["repository", "slug"].repository()
            or body["repository", "url"].repository(),
            commit=best_commit(revision["commit_sha"].value),
            version=revision["tag", "name"].version() or tag_of_ref(revision["reference"].value),
            name=pipeline["name"].text() or body["project", "name"].text(),
            result=result,
            started_at=pipeline["running_at"].time(),
            finished_at=pipeline["done_at"].time(),
            occurred_at=pipeline["done_at"].time(),
            external_id=pipeline["id"].text(),
            run_id=body["workflow", "id"].text(),
            actor=revision["sender", "login"].text(),
        )
    )
    return None


def _read_classic(body: Part, collector: Collector, *, is_deployment: bool) -> None:
    result = result_of(body["result"])
    if result not in FINAL_RESULTS:
        return collector.leave_out("of a build", "it has not ended")
    commit, server = body["commit"], body["server_name"]
    build = body["build_number"].text()
    # A deploy's number counts on its server only.
    parts = (body["project_name"].text(), server.text(), body["number"].text())
    deploy = "/".join(one for one in parts if one) if all(parts) else None
    collector.add(
        Fact(
            kind="deployment" if is_deployment else "build",
            environment=server.exact() if is_deployment else None,
            repository=repository_of_link(commit["url"].value),
            commit=best_commit(commit["id"].value),
            name=body["project_name"].text(),
            result=result,
            started_at=body["started_at"].time(),
            finished_at=body["finished_at"].time(),
            occurred_at=body["finished_at"].time(),
            external_id=deploy if is_deployment else build,
            url=body["html_url"].text() or body["build_url"].text(),
            run_id=build if is_deployment else None,
            mechanism="automated" if is_deployment else None,
        )
    )
    return None


SOURCE = Sender(
    kind="semaphore",
    title="Semaphore",
    read=_read,
    scheme=AnyOf(
        (
            HexSignature("X-Semaphore-Signature-256", is_prefix_needed=False),
            SharedSecret(may_be_in_address=True),
        )
    ),
)
