"""Artifactory: the build information of a build, as its webhooks would have told it.

Format: jfrog.com/help, REST API, "Build Runs" and "Build Info". Sorted by number here, since the
order of the list is not said.
"""

from collections.abc import Iterator
from datetime import datetime

from .base import Cursor, Listing, Page
from .fetching import Fetcher
from .listed import dig, is_before, make_delivery, path_part, rows_of, text_of
from .signing_in import by_basic

PAGE = 50


def list_builds(
    fetch: Fetcher, what: str, cursor: Cursor, since: datetime | None
) -> Iterator[Page]:
    """The runs of the build called `what`, each read for the commit it was made from."""
    path = f"api/build/{path_part(what)}"
    rows = rows_of(fetch.get(path).document, "buildsNumbers")
    runs = sorted(
        (text_of(one.get("started")), text_of(one.get("uri")).strip("/"))
        for one in rows
        if text_of(one.get("uri")) and not is_before(one.get("started"), since)
    )
    first = runs.index(tuple(cursor["after"])) + 1 if _is_among(runs, cursor) else 0
    left = runs[first:]
    for begin in range(0, len(left), PAGE):
        part = left[begin : begin + PAGE]
        deliveries = []
        for _, number in part:
            info = dig(fetch.get(f"{path}/{path_part(number)}").document, "buildInfo")
            data = {
                "build_name": dig(info, "name"),
                "build_number": dig(info, "number"),
                "build_started": dig(info, "started"),
                "duration_millis": dig(info, "durationMillis"),
                "vcs": dig(info, "vcs"),
                "modules": dig(info, "modules"),
            }
            payload = {"domain": "build", "event_type": "uploaded", "data": data}
            deliveries.append(make_delivery(payload))
        yield Page(tuple(deliveries), {"after": list(part[-1])}, begin + PAGE >= len(left))


def _is_among(runs: list[tuple[str, str]], cursor: Cursor) -> bool:
    after = cursor.get("after")
    return isinstance(after, list) and tuple(after) in runs


LISTING = Listing(
    kind="artifactory",
    what="a build's name",
    sign_in=by_basic,
    listers={"builds": list_builds},
)
