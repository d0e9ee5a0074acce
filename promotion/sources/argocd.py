"""Argo CD notifications. It has no payload of its own: the template below gives it one.

The body may leave out `environment` (the mapping of the sender then decides) and any other field
that a template cannot fill.
"""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import clean_image, clean_version
from .flux import read_revision
from .reading import Part
from .results import finish, result_of
from .sender import Collector, Sender

TEMPLATE = """\
webhook:
  throughline:
    method: POST
    body: |
      {"application": {{toJson .app.metadata.name}},
       "project": {{toJson .app.spec.project}},
       "environment": {{toJson (index .app.metadata.labels "environment")}},
       "repository": {{toJson .app.status.operationState.syncResult.source.repoURL}},
       "revision": {{toJson .app.status.operationState.syncResult.revision}},
       "images": {{toJson .app.status.summary.images}},
       "phase": {{toJson .app.status.operationState.phase}},
       "startedAt": {{toJson .app.status.operationState.startedAt}},
       "finishedAt": {{toJson .app.status.operationState.finishedAt}},
       "automated": {{toJson .app.status.operationState.operation.initiatedBy.automated}},
       "actor": {{toJson .app.status.operationState.operation.initiatedBy.username}},
       "url": "{{.context.argocdUrl}}/applications/{{.app.metadata.name}}"}
"""


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    phase = body["phase"]
    result = result_of(phase, terminating="started")
    application = body["application"].text()
    if result is None or application is None:
        return collector.leave_out(phase.text(), "it needs application and phase, see the template")
    images = [clean_image(one.value) for one in body["images"]]
    digests = {one.digest for one in images if one.digest}
    versions = {one.version for one in images if one.version}
    revision = read_revision(body["revision"].text())
    started_at, finished_at = body["startedAt"].time(), body["finishedAt"].time()
    begun = body["startedAt"].text()
    named = clean_version(body["version"].value) or revision.version
    return collector.add(
        Fact(
            kind="deployment",
            service=body["service"].text() or application,
            environment=body["environment"].exact(),
            target=body["target"].text(),
            repository=body["repository"].repository(),
            commit=revision.commit,
            version=named or (versions.pop() if len(images) == len(versions) == 1 else None),
            # Of several images no single digest is what was deployed.
            digest=revision.digest or (digests.pop() if len(digests) == 1 else None),
            name=application,
            result=result,
            started_at=started_at,
            finished_at=finish(result, finished_at),
            occurred_at=finished_at or started_at,
            external_id=f"{application}@{begun}" if begun else None,
            url=body["url"].text(),
            actor=body["actor"].text(),
            mechanism="automated" if body["automated"].is_true else None,
            details={"images": names} if (names := _names(body["images"])) else {},
        )
    )


def _names(images: Part) -> list[str]:
    return [text for one in images if (text := one.text())][:100]


SOURCE = Sender(
    kind="argocd",
    title="Argo CD",
    read=_read,
    scheme=SharedSecret(),
)
