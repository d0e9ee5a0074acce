"""Bitbucket Cloud and Data Center. Payloads: support.atlassian.com, "Event payloads"."""

from typing import Any

from .authentication import HexSignature
from .base import Fact, Headers
from .cleaning import best_commit, clean_version, commit_in_link, tag_of_ref
from .commits import read_commits
from .reading import Part
from .results import finish, result_of
from .sender import Collector, Sender


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    event = (headers.get("X-Event-Key") or body["eventKey"].text() or "").strip().lower()
    if event == "repo:push":
        _read_cloud_push(body, collector)
    elif event == "repo:refs_changed":
        _read_server_push(body, collector)
    elif event == "pullrequest:fulfilled":
        _read_cloud_merge(body, collector)
    elif event == "pr:merged":
        _read_server_merge(body, collector)
    elif event.startswith("repo:commit_status_"):
        _read_status(body, collector)
    else:
        collector.leave_out(event)


def _read_cloud_push(body: Part, collector: Collector) -> None:
    changes = body["push", "changes"]
    if not len(changes):
        return collector.leave_out("repo:push", "it names no change of a ref")
    for change in changes:
        new = change["new"]
        commit = best_commit(new["target", "hash"].value)
        if commit is None:
            collector.leave_out("repo:push", "the ref was closed, or no new head is given")
            continue
        is_tag = "tag" in new["type"].word()
        details: dict[str, Any] = {
            "ref": new["name"].text(),
            "before": change["old", "target", "hash"].commit(),
            "commits": read_commits(change["commits"]),
        }
        collector.add(
            Fact(
                kind="change",
                repository=body["repository", "full_name"].repository(),
                commit=commit,
                version=clean_version(new["name"].value) if is_tag else None,
                url=new["links", "html", "href"].text(),
                actor=_actor(body),
                details={key: value for key, value in details.items() if value},
            )
        )
    return None


def _read_server_push(body: Part, collector: Collector) -> None:
    changes = body["changes"]
    if not len(changes):
        return collector.leave_out("repo:refs_changed", "it names no change of a ref")
    for change in changes:
        commit = change["toHash"].commit()
        if change["type"].word() == "delete" or commit is None:
            collector.leave_out("repo:refs_changed", "the ref was deleted, or has no new head")
            continue
        ref = change["ref"]
        is_tag = ref["type"].word() == "tag"
        details: dict[str, Any] = {
            "ref": ref["id"].text() or change["refId"].text(),
            "before": change["fromHash"].commit(),
            "commits": read_commits(body["commits"]) if len(changes) == 1 else [],
        }
        collector.add(
            Fact(
                kind="change",
                repository=_server_repository(body["repository"]),
                commit=commit,
                version=ref["displayId"].version()
                if is_tag
                else tag_of_ref(change["refId"].value) or tag_of_ref(ref["id"].value),
                occurred_at=body["date"].time(),
                actor=_actor(body),
                details={key: value for key, value in details.items() if value},
            )
        )
    return None


def _server_repository(repository: Part) -> str | None:
    project, slug = repository["project", "key"].text(), repository["slug"].text()
    return f"{project}/{slug}" if project and slug else slug


def _actor(body: Part) -> str | None:
    actor = body["actor"]
    return actor["nickname"].text() or actor["name"].text() or actor["display_name"].text()


def _read_cloud_merge(body: Part, collector: Collector) -> None:
    merge = body["pullrequest"]
    made = merge["merge_commit"]
    link = commit_in_link(made["links", "html", "href"].value)
    collector.add(
        Fact(
            kind="change",
            repository=body["repository", "full_name"].repository()
            or merge["destination", "repository", "full_name"].repository(),
            commit=best_commit(
                made["hash"].value,
                link,
                commit_in_link(made["links", "self", "href"].value),
            ),
            occurred_at=merge["updated_on"].time(),
            external_id=merge["id"].text(),
            url=merge["links", "html", "href"].text(),
            actor=_actor(body),
            details=_merge_details(merge, merge["destination", "branch", "name"]),
        )
    )


def _read_server_merge(body: Part, collector: Collector) -> None:
    merge = body["pullRequest"]
    collector.add(
        Fact(
            kind="change",
            repository=_server_repository(merge["toRef", "repository"]),
            commit=best_commit(
                merge["properties", "mergeCommit", "id"].value,
                merge["properties", "mergeCommit", "displayId"].value,
            ),
            occurred_at=merge["closedDate"].time() or body["date"].time(),
            external_id=merge["id"].text(),
            url=merge["links", "self", 0, "href"].text(),
            actor=_actor(body),
            details=_merge_details(merge, merge["toRef", "displayId"]),
        )
    )


def _merge_details(merge: Part, branch: Part) -> dict[str, Any]:
    details = {
        "pull_request": merge["id"].text(),
        "title": merge["title"].text(),
        "branch": branch.text(),
    }
    return {key: value for key, value in details.items() if value}


def _read_status(body: Part, collector: Collector) -> None:
    status = body["commit_status"]
    if status["type"].word() != "build":
        return collector.leave_out("repo:commit_status", "it is not the status of a build")
    link = commit_in_link(status["links", "commit", "href"].value)
    commit = best_commit(status["commit", "hash"].value, link) or link
    key = status["key"].text()
    result = result_of(status["state"])
    collector.add(
        Fact(
            kind="build",
            repository=body["repository", "full_name"].repository(),
            commit=commit,
            version=tag_of_ref(status["refname"].value),
            name=status["name"].text() or key,
            result=result,
            started_at=status["created_on"].time(),
            finished_at=finish(result, status["updated_on"].time()),
            occurred_at=status["updated_on"].time(),
            # A key names a build only together with its commit.
            external_id=f"{key}:{commit}" if key and commit else None,
            url=status["url"].text(),
        )
    )
    return None


SOURCE = Sender(
    kind="bitbucket",
    title="Bitbucket",
    read=_read,
    scheme=HexSignature("X-Hub-Signature"),
    marks=("X-Event-Key",),
    delivery_headers=("X-Request-UUID", "X-Request-Id"),
)
