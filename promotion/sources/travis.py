"""Travis CI webhooks: a form whose field `payload` holds the JSON of a build.

The secret stands in the address; Travis' own signature is in `own_keys.travis`.
"""

from .authentication_tokens import SharedSecret
from .base import FINAL_RESULTS, Fact, Headers
from .cleaning import best_commit
from .reading import Part
from .results import result_of
from .sender import Collector, Sender


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    result = result_of(body["state"]) or result_of(
        body["status_message"], **{"still failing": "failed"}
    )
    if result not in FINAL_RESULTS:
        return collector.leave_out("of a build", "the build has not ended")
    repository = body["repository"]
    owner, name = repository["owner_name"].text(), repository["name"].text()
    collector.add(
        Fact(
            kind="build",
            repository=f"{owner}/{name}" if owner and name else repository["slug"].repository(),
            commit=best_commit(body["commit"].value),
            version=body["tag"].version(),
            name=name,
            result=result,
            started_at=body["started_at"].time(),
            finished_at=body["finished_at"].time(),
            occurred_at=body["finished_at"].time(),
            external_id=body["id"].text(),
            url=body["build_url"].text(),
        )
    )
    return None


SOURCE = Sender(
    kind="travis",
    title="Travis CI",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
    marks=("Travis-Repo-Slug",),
)
