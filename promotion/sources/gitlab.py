"""GitLab: project, group and system hooks. Payloads: docs.gitlab.com, "Webhook events"."""

from typing import Any

from .authentication import AnyOf, SharedToken
from .authentication_tokens import StandardWebhooks
from .base import Fact, Headers
from .cleaning import best_commit, clean_version, commit_in_link, tag_of_ref
from .commits import read_commits
from .reading import Part
from .results import begin, finish, result_of
from .sender import Collector, Sender


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    kind = body["object_kind"].word() or body["event_name"].word()
    if kind == "deployment":
        _read_deployment(body, collector)
    elif kind == "pipeline":
        _read_pipeline(body, collector)
    elif kind in {"push", "tag_push"}:
        _read_push(body, collector)
    elif kind == "merge_request":
        _read_merge(body, collector)
    elif kind == "release" and body["action"].word() == "create":
        _read_release(body, collector)
    else:
        collector.leave_out(kind or headers.get("X-Gitlab-Event"))


def _project(body: Part) -> str | None:
    return body["project", "path_with_namespace"].repository()


def _actor(body: Part) -> str | None:
    return (
        body["user", "username"].text()
        or body["user_username"].text()
        or body["user", "name"].text()
        or body["user_name"].text()
    )


def _read_deployment(body: Part, collector: Collector) -> None:
    result = result_of(body["status"])
    if result is None:
        state = body["status"].text()
        return collector.leave_out("deployment", f"its status ({state}) is not one of a deployment")
    at = body["status_changed_at"].time()
    tier = body["environment_tier"].text()
    collector.add(
        Fact(
            kind="deployment",
            environment=body["environment"].exact(),
            repository=_project(body),
            commit=best_commit(
                body["short_sha"].value,
                body["sha"].value,
                commit_in_link(body["commit_url"].value),
            ),
            version=tag_of_ref(body["ref"].value),
            result=result,
            started_at=begin(result, at),
            finished_at=finish(result, at),
            occurred_at=at,
            external_id=body["deployment_id"].text(),
            url=body["deployable_url"].text(),
            actor=_actor(body),
            run_id=body["deployable_id"].text(),
            # A job of a pipeline deployed; without one the deployment came in by the API.
            mechanism="automated" if body["deployable_id"].text() else None,
            details={"tier": tier} if tier else {},
        )
    )
    return None


def _read_pipeline(body: Part, collector: Collector) -> None:
    run = body["object_attributes"]
    result = result_of(run["status"])
    if result is None:
        collector.note("A pipeline's status is none of a run; its build has no result.")
    finished_at = finish(result, run["finished_at"].time())
    collector.add(
        Fact(
            kind="build",
            repository=_project(body),
            commit=best_commit(run["sha"].value, body["commit", "id"].value),
            version=clean_version(run["ref"].value) if run["tag"].is_true else None,
            name=run["name"].text(),
            result=result,
            started_at=run["started_at"].time(),
            finished_at=finished_at,
            occurred_at=finished_at or run["updated_at"].time() or run["created_at"].time(),
            external_id=run["id"].text(),
            url=run["url"].text(),
            actor=_actor(body),
        )
    )


def _read_push(body: Part, collector: Collector) -> None:
    after = body["after"].commit()
    is_removed = body.has("checkout_sha") and body["checkout_sha"].commit() is None
    if after is None or is_removed:
        return collector.leave_out("push", "the ref was removed, or no new head is given")
    version = tag_of_ref(body["ref"].value)
    # Of an annotated tag `after` is the tag itself, and checkout_sha the commit.
    commit = (body["checkout_sha"].commit() or after) if version else after
    details: dict[str, Any] = {
        "ref": body["ref"].text(),
        "before": body["before"].commit(),
        "commits": read_commits(body["commits"]),
    }
    collector.add(
        Fact(
            kind="change",
            repository=_project(body),
            commit=commit,
            version=version,
            url=body["project", "web_url"].text(),
            actor=_actor(body),
            details={key: value for key, value in details.items() if value},
        )
    )
    return None


def _read_merge(body: Part, collector: Collector) -> None:
    merge = body["object_attributes"]
    action = merge["action"].word()
    if action != "merge" and not (action == "" and merge["state"].word() == "merged"):
        return collector.leave_out(f"merge_request ({action or merge['state'].word()})")
    details: dict[str, Any] = {
        "pull_request": merge["iid"].text(),
        "title": merge["title"].text(),
        "branch": merge["target_branch"].text(),
    }
    collector.add(
        Fact(
            kind="change",
            repository=_project(body) or merge["target", "path_with_namespace"].repository(),
            commit=best_commit(merge["merge_commit_sha"].value)
            or best_commit(merge["squash_commit_sha"].value),
            occurred_at=merge["merged_at"].time() or merge["updated_at"].time(),
            external_id=merge["id"].text(),
            url=merge["url"].text(),
            actor=_actor(body),
            details={key: value for key, value in details.items() if value},
        )
    )
    return None


def _read_release(body: Part, collector: Collector) -> None:
    collector.add(
        Fact(
            kind="change",
            repository=_project(body),
            commit=best_commit(body["commit", "id"].value),
            version=body["tag"].version(),
            name=body["name"].text(),
            occurred_at=body["released_at"].time() or body["created_at"].time(),
            external_id=body["id"].text(),
            url=body["url"].text(),
        )
    )


SOURCE = Sender(
    kind="gitlab",
    title="GitLab",
    read=_read,
    scheme=AnyOf((SharedToken("X-Gitlab-Token"), StandardWebhooks())),
    marks=("X-Gitlab-Event",),
    # The key stays the same when GitLab tries again, the event's own id does not always.
    delivery_headers=("Idempotency-Key", "webhook-id", "X-Gitlab-Event-UUID"),
)
