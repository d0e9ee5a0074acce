"""GitHub, GitHub Enterprise Server and its container registry: repository and organisation webhooks.

Payloads: docs.github.com, "Webhook events and payloads". A `deployment` is only asked for; what
became of it is told by `deployment_status`. The payload of a deployment may carry `digest`,
`version` and `service`, which then count.
"""

from typing import Any

from .authentication import HexSignature
from .base import Fact, Headers
from .cleaning import (
    best_commit,
    clean_digest,
    clean_full_commit,
    clean_image,
    clean_version,
    tag_of_ref,
)
from .commits import read_commits
from .reading import Part
from .results import begin, finish, result_of
from .sender import Collector, Sender

_REVISION = "org.opencontainers.image.revision"
_NO_VERDICT = {
    "neutral": None,
    "skipped": None,
    "stale": None,
    "action_required": "queued",
}


def read_event(event: str, body: Part, collector: Collector) -> None:
    """Turn one event of this family (Gitea and Forgejo send the same) into facts."""
    action = body["action"].word()
    if event == "push":
        read_push(body, collector)
    elif event == "deployment" and action in {"", "created"}:
        collector.add(_deployment(body, Part({"state": "queued"}), body["deployment"]))
    elif event == "deployment_status" and action in {"", "created"}:
        _read_deployment_status(body, collector)
    elif event == "workflow_run":
        _read_workflow_run(body, collector)
    elif event == "release" and action == "published":
        _read_release(body, collector)
    elif event == "pull_request" and action == "closed" and body["pull_request", "merged"].is_true:
        _read_merge(body, collector)
    elif event in {"package", "registry_package"} and action in {
        "published",
        "updated",
    }:
        _read_package(body, body[event], collector)
    elif event == "deployment_review" and action in {"approved", "rejected"}:
        _read_review(body, action, collector)
    else:
        collector.leave_out(f"{event} ({action})" if action else event)


def read_push(body: Part, collector: Collector) -> None:
    """The new head of the ref pushed to; an annotated tag's `after` is no commit, its head is."""
    after = body["after"].commit()
    if body["deleted"].is_true or after is None:
        return collector.leave_out("push", "the ref was deleted, or no new head is given")
    version = tag_of_ref(body["ref"].value)
    head = body["head_commit", "id"].commit()
    repository = body["repository"]
    details: dict[str, Any] = {
        "ref": body["ref"].text(),
        "before": body["before"].commit(),
        "commits": read_commits(body["commits"]),
    }
    collector.add(
        Fact(
            kind="change",
            repository=repository["full_name"].repository(),
            commit=(head or after) if version else after,
            version=version,
            occurred_at=repository["pushed_at"].time(),
            url=body["compare"].text() or body["compare_url"].text(),
            actor=body["pusher", "name"].text() or body["sender", "login"].text(),
            details={key: value for key, value in details.items() if value},
        )
    )
    return None


def _read_deployment_status(body: Part, collector: Collector) -> None:
    status = body["deployment_status"]
    if status["state"].word() == "inactive":
        return collector.leave_out("deployment_status", "another deployment took its place")
    fact = _deployment(body, status, status)
    if fact.result is None:
        return collector.leave_out("deployment_status", "its state is not known")
    collector.add(fact)
    return None


def _deployment(body: Part, status: Part, timed: Part) -> Fact:
    deployment = body["deployment"]
    said = deployment["payload"].parsed()
    result = result_of(status["state"])
    at = timed["created_at"].time() or timed["updated_at"].time()
    run = body["workflow_run"]
    creator = deployment["creator"]
    is_run = bool(run["id"].text()) or creator["type"].word() == "bot"
    task = deployment["task"].text()
    return Fact(
        kind="deployment",
        service=said["service"].text(),
        environment=status["environment"].exact() or deployment["environment"].exact(),
        repository=body["repository", "full_name"].repository(),
        commit=best_commit(deployment["sha"].value),
        version=said["version"].version() or tag_of_ref(deployment["ref"].value),
        digest=said["digest"].digest(),
        result=result,
        started_at=begin(result, at),
        finished_at=finish(result, at),
        occurred_at=at,
        external_id=deployment["id"].text(),
        url=status["log_url"].text() or status["target_url"].text() or run["html_url"].text(),
        actor=creator["login"].text(),
        run_id=run["id"].text(),
        mechanism="automated" if is_run else None,
        details={"task": task} if task else {},
    )


def _read_workflow_run(body: Part, collector: Collector) -> None:
    run = body["workflow_run"]
    is_over = run["status"].word() == "completed"
    if is_over:
        result = result_of(run["conclusion"], **_NO_VERDICT)
        if result is None:
            collector.note("A workflow run ended without a verdict; its build has no result.")
    else:
        result = result_of(run["status"]) or result_of(body["action"])
    updated_at = run["updated_at"].time()
    attempt = run["run_attempt"].text()
    collector.add(
        Fact(
            kind="build",
            repository=body["repository", "full_name"].repository()
            or run["repository", "full_name"].repository(),
            commit=best_commit(run["head_sha"].value, run["head_commit", "id"].value),
            name=run["name"].text() or body["workflow", "name"].text(),
            result=result,
            started_at=run["run_started_at"].time(),
            finished_at=updated_at if is_over and result != "queued" else None,
            occurred_at=updated_at,
            external_id=run["id"].text(),
            url=run["html_url"].text(),
            actor=run["triggering_actor", "login"].text() or run["actor", "login"].text(),
            details={"attempt": attempt} if attempt else {},
        )
    )


def _read_release(body: Part, collector: Collector) -> None:
    release = body["release"]
    collector.add(
        Fact(
            kind="change",
            repository=body["repository", "full_name"].repository(),
            # Mostly the name of a branch, which may look like a short sha.
            commit=clean_full_commit(release["target_commitish"].value),
            version=release["tag_name"].version(),
            name=release["name"].text(),
            occurred_at=release["published_at"].time(),
            external_id=release["id"].text(),
            url=release["html_url"].text(),
            actor=release["author", "login"].text() or body["sender", "login"].text(),
        )
    )


def _read_merge(body: Part, collector: Collector) -> None:
    merge = body["pull_request"]
    details: dict[str, Any] = {
        "pull_request": merge["number"].text(),
        "title": merge["title"].text(),
        "branch": merge["base", "ref"].text(),
        "author": merge["user", "login"].text(),
    }
    collector.add(
        Fact(
            kind="change",
            repository=body["repository", "full_name"].repository(),
            commit=best_commit(merge["merge_commit_sha"].value),
            occurred_at=merge["merged_at"].time() or merge["closed_at"].time(),
            external_id=merge["id"].text(),
            url=merge["html_url"].text(),
            actor=merge["merged_by", "login"].text() or body["sender", "login"].text(),
            details={key: value for key, value in details.items() if value},
        )
    )


def _read_package(body: Part, package: Part, collector: Collector) -> None:
    version = package["package_version"]
    container = version["container_metadata"]
    if not container.is_object:
        return collector.leave_out("package", "it is not a container image")
    labels = container["labels"]
    place = clean_image(version["package_url"].value).name
    parts = [package["owner", "login"].text(), package["name"].text()]
    collector.add(
        Fact(
            kind="artifact",
            repository=body["repository", "full_name"].repository(),
            name=place or "/".join(one for one in parts if one) or None,
            version=clean_version(container["tag", "name"].value),
            digest=version["version"].digest()
            or version["name"].digest()
            or clean_digest(container["manifest", "digest"].value)
            or clean_digest(container["tag", "digest"].value),
            commit=best_commit(
                labels["all_labels", _REVISION].value,
                labels[_REVISION].value,
                labels["revision"].value,
            ),
            occurred_at=version["updated_at"].time()
            or package["updated_at"].time()
            or package["created_at"].time(),
            external_id=version["id"].text(),
            url=version["html_url"].text() or package["html_url"].text(),
            actor=body["sender", "login"].text(),
            details={
                key: value
                for key, value in {"media_type": container["manifest", "media_type"].text()}.items()
                if value
            },
        )
    )
    return None


def _read_review(body: Part, action: str, collector: Collector) -> None:
    run = body["workflow_run"]
    environments = [body["environment"], body["workflow_job_run", "environment"]]
    environments += [one["environment"] for one in body["workflow_job_runs"]]
    named = dict.fromkeys(name for one in environments if (name := one.exact()))
    choices: list[str | None] = [*named] or [None]
    for environment in choices:
        collector.add(
            Fact(
                kind="approval",
                environment=environment,
                repository=body["repository", "full_name"].repository(),
                commit=best_commit(run["head_sha"].value),
                result=action,
                occurred_at=body["since"].time() or run["updated_at"].time(),
                external_id=run["id"].text(),
                run_id=run["id"].text(),
                url=run["html_url"].text(),
                actor=body["approver", "login"].text() or body["sender", "login"].text(),
            )
        )


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    event = headers.get("X-GitHub-Event", "").strip().lower()
    if not event:
        return collector.note("The delivery has no X-GitHub-Event header; it became nothing.")
    return read_event(event, body, collector)


SOURCE = Sender(
    kind="github",
    title="GitHub",
    read=_read,
    scheme=HexSignature("X-Hub-Signature-256"),
    marks=("X-GitHub-Event",),
    delivery_headers=("X-GitHub-Delivery",),
)
