"""GitHub: deployments with their statuses, and workflow runs, as its webhooks would have told them.

Format: docs.github.com, REST API, "Deployments", "Deployment statuses", "Workflow runs".
Both lists are newest first: what is added while we read shifts the pages, and only repeats rows.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from promotion.exceptions import InputError
from promotion.sources.base import Delivery

from .base import Cursor, Listing, Page
from .fetching import Answer, Fetcher
from .listed import dig, is_before, make_delivery, path_part, rows_of, text_of
from .signing_in import by_bearer

_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
PAGE = 100


def _repository(what: str) -> str:
    if not _REPOSITORY.fullmatch(what):
        raise InputError(f"{what[:100]!r} is no repository. Write it as owner/name.")
    return "/".join(path_part(part) for part in what.split("/"))


def _pages(fetch: Fetcher, path: str, cursor: Cursor) -> Iterator[Answer]:
    link = text_of(cursor.get("next"))
    answer = fetch.get(link) if link else fetch.get(path, {"per_page": PAGE})
    yield answer
    while answer.next_url:
        answer = fetch.get(answer.next_url)
        yield answer


def list_deployments(
    fetch: Fetcher, what: str, cursor: Cursor, since: datetime | None
) -> Iterator[Page]:
    """Every status of every deployment of the repository `what`."""
    repository = _repository(what)
    for answer in _pages(fetch, f"repos/{repository}/deployments", cursor):
        rows = rows_of(answer.document)
        wanted = [one for one in rows if not is_before(one.get("created_at"), since)]
        deliveries: list[Delivery] = []
        for deployment in wanted:
            deliveries += _statuses(fetch, repository, deployment)
        is_last = len(wanted) < len(rows) or not answer.next_url
        yield Page(tuple(deliveries), {"next": answer.next_url}, is_last)
        if is_last:
            return


def _statuses(fetch: Fetcher, repository: str, deployment: dict[str, Any]) -> Iterator[Delivery]:
    number = text_of(deployment.get("id"))
    cursor: Cursor = {}
    path = f"repos/{repository}/deployments/{number}/statuses"
    for answer in _pages(fetch, path, cursor):
        for status in rows_of(answer.document):
            payload = {
                "action": "created",
                "deployment": deployment,
                "deployment_status": status,
                "repository": {"full_name": repository},
            }
            yield make_delivery(payload, {"X-GitHub-Event": "deployment_status"})


def list_runs(fetch: Fetcher, what: str, cursor: Cursor, since: datetime | None) -> Iterator[Page]:
    """Every workflow run of the repository `what`."""
    repository = _repository(what)
    for answer in _pages(fetch, f"repos/{repository}/actions/runs", cursor):
        rows = rows_of(answer.document, "workflow_runs")
        wanted = [one for one in rows if not is_before(one.get("created_at"), since)]
        deliveries = tuple(
            make_delivery(
                {
                    "action": "completed" if dig(one, "status") == "completed" else "requested",
                    "workflow_run": one,
                    "repository": {"full_name": repository},
                },
                {"X-GitHub-Event": "workflow_run"},
            )
            for one in wanted
        )
        is_last = len(wanted) < len(rows) or not answer.next_url
        yield Page(deliveries, {"next": answer.next_url}, is_last)
        if is_last:
            return


LISTING = Listing(
    kind="github",
    what="a repository, owner/name",
    sign_in=by_bearer,
    listers={"runs": list_runs, "deployments": list_deployments},
)
