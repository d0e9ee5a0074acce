"""Docker Hub (without a digest) and Aliyun Container Registry (the same shape, with one)."""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .reading import Part
from .sender import Collector, Sender


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    push, repository = body["push_data"], body["repository"]
    if not push.is_object:
        return collector.leave_out(None, "it holds no push")
    namespace, name = repository["namespace"].text(), repository["name"].text()
    collector.add(
        Fact(
            kind="artifact",
            name=repository["repo_name"].text()
            or repository["repo_full_name"].text()
            or (f"{namespace}/{name}" if namespace and name else None),
            version=push["tag"].version(),
            digest=push["digest"].digest(),
            occurred_at=push["pushed_at"].time(),
            url=repository["repo_url"].text(),
            actor=push["pusher"].text(),
        )
    )
    return None


SOURCE = Sender(
    kind="dockerhub",
    title="Docker Hub",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
)
