"""GitLab: deployments and pipelines of a project, as its webhooks would have told them.

Format: docs.gitlab.com, "Deployments API", "Pipelines API", "Pagination". Newest first, so that
what changes while we read shifts the pages and only repeats rows.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from promotion.sources.base import Delivery
from promotion.sources.times import format_time

from .base import Cursor, Listing, Page
from .fetching import Answer, Fetcher
from .listed import dig, make_delivery, path_part, rows_of, text_of
from .signing_in import by_private_token

PAGE = 100


def _pages(fetch: Fetcher, path: str, cursor: Cursor, since: datetime | None) -> Iterator[Answer]:
    parameters: dict[str, str | int] = {
        "per_page": PAGE,
        "order_by": "updated_at",
        "sort": "desc",
    }
    if since is not None:
        parameters["updated_after"] = format_time(since)
    link = text_of(cursor.get("next"))
    answer = fetch.get(link) if link else fetch.get(path, parameters)
    yield answer
    while answer.next_url:
        answer = fetch.get(answer.next_url)
        yield answer


def list_deployments(
    fetch: Fetcher, what: str, cursor: Cursor, since: datetime | None
) -> Iterator[Page]:
    """The deployments of the project `what` (its path): when each began, and what became of it."""
    for answer in _pages(fetch, f"projects/{path_part(what)}/deployments", cursor, since):
        deliveries: list[Delivery] = []
        for one in rows_of(answer.document):
            deliveries += _tell_deployment(what, one)
        yield Page(tuple(deliveries), {"next": answer.next_url}, not answer.next_url)


def _tell_deployment(project: str, deployment: Mapping[str, Any]) -> Iterator[Delivery]:
    job = deployment.get("deployable")
    common = {
        "object_kind": "deployment",
        "deployment_id": deployment.get("id"),
        "deployable_id": dig(job, "id"),
        "deployable_url": dig(job, "web_url"),
        "environment": dig(deployment, "environment", "name"),
        "environment_tier": dig(deployment, "environment", "tier"),
        "project": {"path_with_namespace": project},
        "short_sha": text_of(deployment.get("sha"))[:8],
        "sha": deployment.get("sha"),
        "user": deployment.get("user"),
        # The webhook writes a ref as it is called; whether it is a tag, only the job says.
        "ref": f"refs/tags/{deployment.get('ref')}"
        if dig(job, "tag") is True
        else deployment.get("ref"),
    }
    begun, ended = dig(job, "started_at"), dig(job, "finished_at")
    if begun:
        yield _tell({**common, "status": "running", "status_changed_at": begun})
    status = deployment.get("status")
    if status != "running" or not begun:
        changed = ended or deployment.get("updated_at") or deployment.get("created_at")
        yield _tell({**common, "status": status, "status_changed_at": changed})


def list_pipelines(
    fetch: Fetcher, what: str, cursor: Cursor, since: datetime | None
) -> Iterator[Page]:
    """The pipelines of the project `what`; each is read by itself, since the list has no times."""
    path = f"projects/{path_part(what)}/pipelines"
    for answer in _pages(fetch, path, cursor, since):
        deliveries = []
        for listed in rows_of(answer.document):
            run = fetch.get(f"{path}/{path_part(text_of(listed.get('id')))}").document
            attributes = {
                name: dig(run, name)
                for name in (
                    "id", "iid", "name", "ref", "tag", "sha", "source", "status",
                    "created_at", "started_at", "finished_at", "updated_at",
                )
            }  # fmt: skip
            payload = {
                "object_kind": "pipeline",
                "object_attributes": {**attributes, "url": dig(run, "web_url")},
                "project": {"path_with_namespace": what},
                "user": dig(run, "user"),
            }
            deliveries.append(_tell(payload))
        yield Page(tuple(deliveries), {"next": answer.next_url}, not answer.next_url)


def _tell(payload: Mapping[str, Any]) -> Delivery:
    kind = "Deployment Hook" if payload["object_kind"] == "deployment" else "Pipeline Hook"
    return make_delivery(payload, {"X-Gitlab-Event": kind})


LISTING = Listing(
    kind="gitlab",
    what="a project's path, group/name",
    sign_in=by_private_token,
    listers={"pipelines": list_pipelines, "deployments": list_deployments},
)
