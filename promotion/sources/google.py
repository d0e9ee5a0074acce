"""Google Cloud by Pub/Sub push: Artifact Registry, Cloud Build and Cloud Deploy.

Formats: cloud.google.com, of each service's notifications. The secret stands in the address or
the Authorization header; the identity token that Pub/Sub can add instead is in `own_keys.google`.
"""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import clean_image, clean_text
from .envelopes import decode_data, open_envelope
from .reading import Part
from .results import finish, result_of
from .sender import Collector, Sender

_BUILD = {
    "working": "started",
    "internal_error": "failed",
    "expired": "failed",
    "status_unknown": None,
}
_ROLLOUT = {
    "start": "started",
    "succeed": "succeeded",
    "failure": "failed",
    "cancelled": "cancelled",
}


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    envelope = open_envelope(body, headers)
    content = envelope.data if envelope else body
    message = content["message"]
    if not message.is_object:  # an unwrapped push, or Eventarc
        return _read_content(content, Part({}), Part(headers.get("Ce-Time")), collector)
    attributes, sent_at = message["attributes"], message["publishTime"]
    encoded = message["data"].text()
    data = decode_data(encoded) if encoded else Part(None)
    return _read_content(data, attributes, sent_at, collector)


def _read_content(data: Part, attributes: Part, sent_at: Part, collector: Collector) -> None:
    if attributes["ResourceType"].text():
        return _read_rollout(attributes, sent_at, collector)
    if data["action"].text() and (data["digest"] or data["tag"]):
        return _read_push(data, sent_at, collector)
    if data["status"].text() and (data["steps"] or data["projectId"]):
        return _read_build(data, sent_at, collector)
    return collector.leave_out("of Pub/Sub", "it is of no service that is read here")


def _read_push(data: Part, sent_at: Part, collector: Collector) -> None:
    if data["action"].word() != "insert":
        return collector.leave_out(data["action"].text(), "only INSERT makes an artifact")
    image, tag = clean_image(data["digest"].value), clean_image(data["tag"].value)
    return collector.add(
        Fact(
            kind="artifact",
            name=image.name or tag.name,
            version=tag.version,
            digest=image.digest,
            occurred_at=sent_at.time(),
        )
    )


def _read_build(build: Part, sent_at: Part, collector: Collector) -> None:
    result = result_of(build["status"], **_BUILD)
    ended_at = build["finishTime"].time()
    words = build["substitutions"]
    identity = build["id"].text()
    commit = (
        words["COMMIT_SHA"].commit()
        or build["sourceProvenance", "resolvedRepoSource", "commitSha"].commit()
        or build["sourceProvenance", "resolvedGitSource", "revision"].commit()
    )
    repository = (
        words["REPO_FULL_NAME"].repository()
        or build["source", "gitSource", "url"].repository()
        or words["REPO_NAME"].repository()
    )
    collector.add(
        Fact(
            kind="build",
            repository=repository,
            commit=commit,
            version=words["TAG_NAME"].version(),
            name=words["TRIGGER_NAME"].text() or build["buildTriggerId"].text()
            if identity
            else None,
            result=result,
            started_at=build["startTime"].time(),
            finished_at=finish(result, ended_at),
            occurred_at=finish(result, ended_at) or sent_at.time(),
            external_id=identity,
            url=build["logUrl"].text(),
        )
    )
    if result != "succeeded":
        return
    for made in build["results", "images"]:
        image, digest = clean_image(made["name"].value), made["digest"].digest()
        if image.name and digest:
            collector.add(
                Fact(
                    kind="artifact",
                    name=image.name,
                    version=image.version,
                    digest=digest,
                    commit=commit,
                    repository=repository,
                    occurred_at=ended_at or sent_at.time(),
                    run_id=identity,
                )
            )


def _read_rollout(said: Part, sent_at: Part, collector: Collector) -> None:
    kind, action = said["ResourceType"].text() or "", said["Action"].word()
    result = _ROLLOUT.get(action)
    if kind.lower() != "rollout" or result is None:
        return collector.leave_out(f"{kind} {action}", "only a rollout's start and end are told")
    at = sent_at.time()
    name = clean_text(said["Resource"].value) or said["RolloutId"].text()
    return collector.add(
        Fact(
            kind="deployment",
            service=said["DeliveryPipelineId"].text(),
            environment=said["TargetId"].exact(),
            version=said["ReleaseId"].version(),
            result=result,
            started_at=at if result == "started" else None,
            finished_at=finish(result, at),
            occurred_at=at,
            external_id=name,
            mechanism="automated",
        )
    )


SOURCE = Sender(
    kind="google",
    title="Google Cloud",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
    identify=lambda body: (
        body["message", "messageId"].text() or body["message", "message_id"].text()
    ),
)
