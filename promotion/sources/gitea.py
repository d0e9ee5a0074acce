"""Gitea and Forgejo: webhooks of repositories, in the shape of GitHub's."""

from .authentication import AnyOf, HexSignature
from .base import Fact, Headers
from .github import read_event
from .reading import Part
from .sender import Collector, Sender

_EVENT_HEADERS = ("X-Forgejo-Event", "X-Gitea-Event", "X-Gogs-Event", "X-GitHub-Event")


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    event = next((headers[one] for one in _EVENT_HEADERS if headers.get(one)), "").strip().lower()
    if not event:
        return collector.note("The delivery has no X-Gitea-Event header; it became nothing.")
    if event == "create" and body["ref_type"].word() == "tag":
        return _read_tag(body, collector)
    return read_event(event, body, collector)


def _read_tag(body: Part, collector: Collector) -> None:
    if body["sha"].commit() is None:
        return collector.leave_out("create (tag)", "it names no commit")
    collector.add(
        Fact(
            kind="change",
            repository=body["repository", "full_name"].repository(),
            commit=body["sha"].commit(),
            version=body["ref"].version(),
            actor=body["sender", "login"].text(),
        )
    )
    return None


SOURCE = Sender(
    kind="gitea",
    title="Gitea or Forgejo",
    read=_read,
    scheme=AnyOf(
        (
            HexSignature("X-Forgejo-Signature", prefix=""),
            HexSignature("X-Gitea-Signature", prefix=""),
            HexSignature("X-Hub-Signature-256"),
        )
    ),
    marks=("X-Forgejo-Event", "X-Gitea-Event"),
    delivery_headers=("X-Forgejo-Delivery", "X-Gitea-Delivery", "X-GitHub-Delivery"),
)
