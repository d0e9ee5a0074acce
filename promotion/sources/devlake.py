"""The incoming webhook of Apache DevLake, so that pipelines that fill it can send here as well."""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import tag_of_ref
from .reading import Part
from .results import finish, result_of
from .sender import Collector, Sender


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    if body.has("issue_key") or body.has("issueKey"):
        _read_issue(body, collector)
    else:
        _read_deployment(body, collector)


def _read_deployment(body: Part, collector: Collector) -> None:
    commits = body["deploymentCommits"]
    # Of several repositories deployed together no single commit is the deployed one.
    only = commits[0] if len(commits) == 1 else Part(None)
    shas = {one for part in commits if (one := part["commitSha"].commit())}
    said = body["commitSha"].commit() or body["commit_sha"].commit()
    result = result_of(body["result"])
    if result is None and not commits and not said:
        return collector.leave_out(None, "it is neither a deployment nor an issue")
    finished_at = (body["finishedDate"] or body["end_time"]).time()
    started_at = (body["startedDate"] or body["start_time"]).time()
    return collector.add(
        Fact(
            kind="deployment",
            environment=body["environment"].exact(),
            repository=(only["repoUrl"] or body["repo_url"]).repository(),
            commit=(shas.pop() if len(shas) == 1 else None) if commits else said,
            version=tag_of_ref(only["refName"].value),
            name=body["displayTitle"].text() or body["name"].text(),
            result=result,
            started_at=started_at,
            finished_at=finish(result, finished_at),
            occurred_at=finished_at or started_at,
            external_id=body["id"].text(),
            url=body["url"].text(),
        )
    )


def _read_issue(body: Part, collector: Collector) -> None:
    if body["type"].word() != "incident":
        return collector.leave_out("of an issue", "the issue is no incident")
    opened_at = (body["created_date"] or body["createdDate"]).time()
    resolved_at = (body["resolution_date"] or body["resolutionDate"]).time()
    return collector.add(
        Fact(
            kind="incident",
            name=body["title"].text(),
            result="resolved" if resolved_at else "opened",
            started_at=opened_at if resolved_at else None,
            occurred_at=resolved_at or opened_at,
            external_id=(body["issue_key"] or body["issueKey"]).text(),
            url=body["url"].text(),
            severity=body["severity"].text() or body["priority"].text(),
        )
    )


SOURCE = Sender(
    kind="devlake",
    title="DevLake webhook",
    read=_read,
    scheme=SharedSecret(),
)
