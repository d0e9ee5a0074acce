"""Jenkins: the builds of a job, as the notification plugin would have told them.

Format: "Remote Access API" of jenkins.io, `tree` with a range. Newest first.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from promotion.exceptions import InputError
from promotion.sources.base import Delivery

from .base import Cursor, Listing, Page
from .fetching import Fetcher
from .listed import dig, is_before, make_delivery, moment, path_part, rows_of, text_of
from .signing_in import by_basic

PAGE = 100
_TREE = (
    "fullName,allBuilds[number,url,result,building,timestamp,duration,actions["
    "remoteUrls,lastBuiltRevision[SHA1,branch[name]],parameters[name,value]]]"
)


def list_builds(
    fetch: Fetcher, what: str, cursor: Cursor, since: datetime | None
) -> Iterator[Page]:
    """The builds of the job `what`, folders before it: folder/job."""
    parts = [path_part(part) for part in what.strip("/").split("/") if part]
    if not parts:
        raise InputError("Name a job, with its folders before it: folder/job.")
    job = "/".join(f"job/{part}" for part in parts)
    first = int(text_of(cursor.get("first")) or 0)
    while True:
        tree = f"{_TREE}{{{first},{first + PAGE}}}"
        rows = rows_of(fetch.get(f"{job}/api/json", {"tree": tree}).document, "allBuilds")
        wanted = [one for one in rows if not is_before(one.get("timestamp"), since)]
        deliveries: list[Delivery] = []
        for build in wanted:
            deliveries += _tell(what, job, build)
        first += len(rows)
        is_last = len(rows) < PAGE or len(wanted) < len(rows)
        yield Page(tuple(deliveries), {"first": first}, is_last)
        if is_last:
            return


def _tell(name: str, job: str, build: Mapping[str, Any]) -> Iterator[Delivery]:
    told = {"number": build.get("number"), "full_url": build.get("url"), **_made_from(build)}
    begun = build.get("timestamp")
    if moment(begun) is None:
        return
    place = {"name": name.rpartition("/")[2], "url": f"{job}/"}
    yield make_delivery({**place, "build": {**told, "phase": "STARTED", "timestamp": begun}})
    lasted = build.get("duration")
    if build.get("building") or not isinstance(lasted, int) or not isinstance(begun, int):
        return
    ended = {"phase": "FINALIZED", "status": build.get("result"), "timestamp": begun + lasted}
    yield make_delivery({**place, "build": {**told, **ended}})


def _made_from(build: Mapping[str, Any]) -> dict[str, Any]:
    """The commit of the first checkout, and the parameters."""
    scm: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    actions = build.get("actions")
    for action in actions if isinstance(actions, list) else []:
        revision = dig(action, "lastBuiltRevision")
        if revision and not scm:
            urls, branches = dig(action, "remoteUrls"), dig(revision, "branch")
            scm = {
                "commit": dig(revision, "SHA1"),
                "url": urls[0] if isinstance(urls, list) and urls else None,
                "branch": dig(branches[0], "name")
                if isinstance(branches, list) and branches
                else None,
            }
        for one in dig(action, "parameters") or []:
            if text_of(dig(one, "name")):
                parameters[text_of(dig(one, "name"))] = dig(one, "value")
    return {"scm": scm, "parameters": parameters}


LISTING = Listing(
    kind="jenkins",
    what="a job with its folders, folder/job",
    sign_in=by_basic,
    listers={"builds": list_builds},
)
