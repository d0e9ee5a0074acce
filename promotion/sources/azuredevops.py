"""Azure DevOps service hooks. Payloads: learn.microsoft.com, "Service hooks events"."""

import re
from typing import Any

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import best_commit, clean_full_commit, tag_of_ref
from .commits import read_commits
from .reading import Part
from .results import begin, finish, result_of
from .sender import Collector, Sender

_TAG_SOURCE = re.compile(r"(?:LG:)?(refs/tags/[^:]+)(?::|$)")


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    event = body["eventType"].word()
    resource = body["resource"]
    if not resource.is_object:
        collector.leave_out(event or None, "it has no resource")
    elif event == "build.complete":
        _read_build(body, resource, collector)
    elif event == "git.push":
        _read_push(resource, collector)
    elif event == "git.pullrequest.merged":
        _read_merge(resource, collector)
    elif event.startswith(
        ("ms.vss-release.deployment-started", "ms.vss-release.deployment-completed")
    ):
        _read_deployment(body, resource, collector, is_over="completed" in event)
    else:
        collector.leave_out(event or None)


def _read_build(body: Part, build: Part, collector: Collector) -> None:
    result = result_of(build["result"]) or result_of(build["status"], completed=None)
    source = build["sourceGetVersion"].text() or build["sourceBranch"].text() or ""
    tag = _TAG_SOURCE.match(source)
    repository = build["repository"]
    number = build["buildNumber"].text()
    collector.add(
        Fact(
            kind="build",
            repository=repository["remoteUrl"].repository() or repository["url"].repository(),
            commit=best_commit(build["sourceVersion"].value, build["sourceGetVersion"].value),
            version=tag_of_ref(tag[1]) if tag else None,
            name=build["definition", "name"].text(),
            result=result,
            started_at=build["startTime"].time(),
            finished_at=finish(result, build["finishTime"].time()),
            occurred_at=build["finishTime"].time() or body["createdDate"].time(),
            external_id=build["id"].text(),
            url=build["_links", "web", "href"].text() or build["url"].text(),
            actor=build["requestedFor", "displayName"].text()
            or build["requests", 0, "requestedFor", "displayName"].text(),
            details={"number": number} if number else {},
        )
    )


def _read_push(push: Part, collector: Collector) -> None:
    updates = push["refUpdates"]
    if not len(updates):
        return collector.leave_out("git.push", "it names no change of a ref")
    for update in updates:
        commit = update["newObjectId"].commit()
        if commit is None:
            collector.leave_out("git.push", "the ref was deleted, or has no new head")
            continue
        details: dict[str, Any] = {
            "ref": update["name"].text(),
            "before": update["oldObjectId"].commit(),
            "commits": read_commits(push["commits"]) if len(updates) == 1 else [],
        }
        collector.add(
            Fact(
                kind="change",
                repository=push["repository", "remoteUrl"].repository(),
                commit=commit,
                version=tag_of_ref(update["name"].value),
                occurred_at=push["date"].time(),
                url=push["url"].text(),
                actor=push["pushedBy", "displayName"].text(),
                details={key: value for key, value in details.items() if value},
            )
        )
    return None


def _read_merge(merge: Part, collector: Collector) -> None:
    if merge["status"].word() != "completed":
        return collector.leave_out("git.pullrequest.merged", "the pull request is not completed")
    details: dict[str, Any] = {
        "pull_request": merge["pullRequestId"].text(),
        "title": merge["title"].text(),
        "branch": (merge["targetRefName"].text() or "").removeprefix("refs/heads/"),
    }
    collector.add(
        Fact(
            kind="change",
            repository=merge["repository", "remoteUrl"].repository(),
            commit=best_commit(merge["lastMergeCommit", "commitId"].value),
            occurred_at=merge["closedDate"].time(),
            external_id=merge["pullRequestId"].text(),
            url=merge["_links", "web", "href"].text() or merge["url"].text(),
            actor=merge["closedBy", "displayName"].text(),
            details={key: value for key, value in details.items() if value},
        )
    )
    return None


def _read_deployment(body: Part, resource: Part, collector: Collector, *, is_over: bool) -> None:
    deployment, stage = resource["deployment"], resource["environment"]
    places = (resource["release"], deployment["release"], stage["release"])
    release = next((one for one in places if one.is_object), Part(None))
    said = result_of(deployment["deploymentStatus"], notdeployed=None) or result_of(
        stage["status"], rejected="failed"
    )
    result = said if is_over else "started"
    at = body["createdDate"].time()
    finished_at = deployment["completedOn"].time() or at
    collector.add(
        Fact(
            kind="deployment",
            environment=stage["name"].exact() or resource["stageName"].exact(),
            commit=_release_commit(release),
            version=release["name"].version(),
            name=stage["releaseDefinition", "name"].text()
            or release["releaseDefinition", "name"].text(),
            result=result,
            started_at=deployment["startedOn"].time() or begin(result, at),
            finished_at=finish(result, finished_at),
            occurred_at=at,
            external_id=deployment["id"].text()
            or stage["deploySteps", -1, "deploymentId"].text()
            or stage["id"].text()
            or resource["id"].text(),
            url=resource["url"].text() or release["webAccessUri"].text(),
            actor=deployment["requestedFor", "displayName"].text(),
            run_id=release["id"].text(),
            mechanism="automated",
        )
    )


def _release_commit(release: Part) -> str | None:
    """The commit of the primary artifact, or of the only one."""
    sources = [one for one in release["artifacts"] if one["isPrimary"].is_true]
    sources = sources or list(release["artifacts"])
    if len(sources) != 1:
        return None
    named = sources[0]["definitionReference"]
    return best_commit(named["sourceVersion", "id"].value) or clean_full_commit(
        named["version", "id"].value
    )


SOURCE = Sender(
    kind="azuredevops",
    title="Azure DevOps",
    read=_read,
    scheme=SharedSecret(),
    identify=lambda body: body["id"].text(),
)
