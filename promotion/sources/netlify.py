"""Netlify deploy notifications; the site is the service, the deploy's context the environment."""

from .authentication_tokens import SignedHash
from .base import Fact, Headers
from .cleaning import best_commit, commit_in_link, repository_of_link
from .reading import Part
from .results import finish, result_of
from .sender import Collector, Sender

_EVENTS = {"deploy_building", "deploy_created", "deploy_failed"}


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    event = headers.get("X-Netlify-Event", "").strip().lower()
    if event and event not in _EVENTS:
        return collector.leave_out(event)
    result = result_of(body["state"], ready="succeeded", uploading="started", uploaded="started")
    if result is None:
        return collector.leave_out(event or None, "its state is none of a deploy")
    ended_at = body["published_at"].time() or body["updated_at"].time()
    link = body["commit_url"].value
    collector.add(
        Fact(
            kind="deployment",
            service=body["name"].text(),
            environment=body["context"].exact(),
            repository=repository_of_link(link),
            commit=best_commit(body["commit_ref"].value) or commit_in_link(link),
            result=result,
            started_at=body["created_at"].time() if result != "queued" else None,
            finished_at=finish(result, ended_at),
            occurred_at=body["updated_at"].time() or ended_at,
            external_id=body["id"].text(),
            url=body["admin_url"].text() or body["deploy_ssl_url"].text(),
            actor=body["committer"].text(),
            run_id=body["build_id"].text(),
            mechanism="automated" if body["build_id"].text() else None,
        )
    )
    return None


SOURCE = Sender(
    kind="netlify",
    title="Netlify",
    read=_read,
    scheme=SignedHash("X-Webhook-Signature", issuer="netlify"),
    marks=("X-Netlify-Event",),
)
