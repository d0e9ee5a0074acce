"""Argo CD: the history of an application, as our notifications template would have told it.

Format: argo-cd.readthedocs.io, API `/api/v1/applications`, `status.history` (successful syncs).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from promotion.sources.base import Delivery

from .base import Cursor, Listing, Page
from .fetching import Fetcher
from .listed import dig, is_before, make_delivery, path_part, rows_of, text_of
from .signing_in import by_bearer

EVERY = "*"


def list_history(
    fetch: Fetcher, what: str, cursor: Cursor, since: datetime | None
) -> Iterator[Page]:
    """What was synced to the application `what`, or to every one for `*`."""
    if what == EVERY:
        applications = rows_of(fetch.get("api/v1/applications").document, "items")
    else:
        applications = [fetch.get(f"api/v1/applications/{path_part(what)}").document]
    after = text_of(cursor.get("after"))
    named = sorted(
        ((text_of(dig(one, "metadata", "name")), one) for one in applications),
        key=lambda pair: pair[0],
    )
    left = [(name, one) for name, one in named if name > after]
    for number, (name, application) in enumerate(left, start=1):
        deliveries = tuple(_tell(fetch, application, since))
        yield Page(deliveries, {"after": name}, number == len(left))


def _tell(
    fetch: Fetcher, application: Mapping[str, Any], since: datetime | None
) -> Iterator[Delivery]:
    name = dig(application, "metadata", "name")
    history = dig(application, "status", "history")
    for one in history if isinstance(history, list) else []:
        if is_before(dig(one, "deployedAt"), since):
            continue
        sources, revisions = dig(one, "sources"), dig(one, "revisions")
        # Of several sources no single revision is what was deployed.
        is_one = not isinstance(sources, list) or len(sources) < 2
        yield make_delivery(
            {
                "application": name,
                "project": dig(application, "spec", "project"),
                "environment": dig(application, "metadata", "labels", "environment"),
                "repository": dig(one, "source", "repoURL")
                or (dig(sources[0], "repoURL") if is_one and sources else None),
                "revision": dig(one, "revision")
                or (revisions[0] if is_one and isinstance(revisions, list) and revisions else None),
                "phase": "Succeeded",
                "startedAt": dig(one, "deployStartedAt"),
                "finishedAt": dig(one, "deployedAt"),
                "automated": dig(one, "initiatedBy", "automated"),
                "actor": dig(one, "initiatedBy", "username"),
                "url": f"{fetch.address.rstrip('/')}/applications/{path_part(text_of(name))}",
            }
        )


LISTING = Listing(
    kind="argocd",
    what="an application's name, or * for all",
    sign_in=by_bearer,
    listers={"history": list_history},
)
