"""Amazon Web Services: EventBridge events, bare or as messages of SNS and SQS.

Formats: docs.aws.amazon.com, of each service. The secret comes in the address or a header (an API
destination's key, or user and password of a subscription); SNS' own signature is in `own_keys.aws`.
"""

from collections.abc import Callable
from typing import Any

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import best_commit, clean_checksum
from .reading import Part
from .results import INCIDENT_RESULTS, begin, finish, result_of
from .sender import Collector, Sender


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    if not body["Records"].is_list:
        return _read_message(body, collector)
    for record in body["Records"]:
        inner = record["Sns"]
        if inner.is_object:
            _read_message(inner, collector)
        else:
            _read_message(record["body"].parsed(), collector)
    return None


def _read_message(message: Part, collector: Collector) -> None:
    kind = message["Type"].text()
    if kind in {"SubscriptionConfirmation", "UnsubscribeConfirmation"}:
        topic = message["TopicArn"].text()
        if kind == "UnsubscribeConfirmation":
            return collector.note(f"The hook was unsubscribed from {topic}.")
        return collector.note(
            f"SNS asks to confirm the subscription to {topic}: confirm it on the page of this event,"
            " or open the SubscribeURL that stands in its body."
        )
    content = message
    if message["Message"] and not message["detail-type"]:
        content = message["Message"].parsed()
    if content["AlarmName"]:
        return _read_alarm(content, collector)
    detail_type = content["detail-type"].text()
    read = _READERS.get(detail_type or "")
    if read is None:
        return collector.leave_out(detail_type or message["Subject"].text())
    return read(content, content["detail"], collector)


def _read_alarm(alarm: Part, collector: Collector) -> None:
    result = INCIDENT_RESULTS.get(alarm["NewStateValue"].word())
    if result is None:
        return collector.leave_out("of an alarm", "its state is neither ALARM nor OK")
    collector.add(
        Fact(
            kind="incident",
            name=alarm["AlarmName"].text(),
            result=result,
            occurred_at=alarm["StateChangeTime"].time(),
            external_id=alarm["AlarmArn"].text() or alarm["AlarmName"].text(),
        )
    )
    return None


def _read_alarm_event(event: Part, detail: Part, collector: Collector) -> None:
    resource = event["resources", 0].text() or event["alarmArn"].text()
    _read_alarm(
        Part(
            {
                "AlarmName": detail["alarmName"].value,
                "AlarmArn": resource,
                "NewStateValue": detail["state", "value"].value,
                "StateChangeTime": detail["state", "timestamp"].value or event["time"].value,
            }
        ),
        collector,
    )


def _read_push(event: Part, detail: Part, collector: Collector) -> None:
    if detail["action-type"].word() != "push" or detail["result"].word() != "success":
        return collector.leave_out("ECR Image Action", "it is no push that succeeded")
    media_type = detail["manifest-media-type"].text()
    collector.add(
        Fact(
            kind="artifact",
            name=detail["repository-name"].text(),
            version=detail["image-tag"].version(),
            digest=detail["image-digest"].digest(),
            occurred_at=event["time"].time(),
            details={"media_type": media_type} if media_type else {},
        )
    )
    return None


def _read_scan(event: Part, detail: Part, collector: Collector) -> None:
    if detail["scan-status"].word() != "complete":
        return collector.leave_out("ECR Image Scan", "the scan is not complete")
    tags = detail["image-tags"]
    counts = detail["finding-severity-counts"]
    collector.add(
        Fact(
            kind="evidence",
            name="scan",
            digest=detail["image-digest"].digest(),
            version=tags[0].version() if len(tags) == 1 else None,
            occurred_at=event["time"].time(),
            details={"findings": found} if (found := _counts(counts)) else {},
        )
    )
    return None


def _counts(counts: Part) -> dict[str, Any]:
    return {key: counts[key].value for key in counts.names() if isinstance(counts[key].value, int)}


def _read_build(event: Part, detail: Part, collector: Collector) -> None:
    more = detail["additional-information"]
    source = more["source"]
    result = result_of(detail["build-status"])
    is_code = source["type"].word() not in {"s3", "codepipeline", "no_source"}
    collector.add(
        Fact(
            kind="build",
            repository=source["location"].repository() if is_code else None,
            commit=best_commit(more["resolved-source-version"].value)
            or best_commit(more["source-version"].value),
            name=detail["project-name"].text(),
            digest=clean_checksum(more["artifact", "sha256sum"].value),
            result=result,
            started_at=more["build-start-time"].time(),
            finished_at=finish(result, event["time"].time()),
            occurred_at=event["time"].time(),
            external_id=detail["build-id"].text(),
            url=more["logs", "deep-link"].text(),
            actor=more["initiator"].text(),
        )
    )


def _read_pipeline(event: Part, detail: Part, collector: Collector) -> None:
    result = result_of(detail["state"])
    at = event["time"].time()
    is_start = detail["state"].word() == "started"
    collector.add(
        Fact(
            kind="build",
            name=detail["pipeline"].text(),
            result=result,
            started_at=detail["start-time"].time() or (at if is_start else None),
            finished_at=finish(result, at),
            occurred_at=at,
            external_id=detail["execution-id"].text(),
        )
    )


def _read_deployment(event: Part, detail: Part, collector: Collector) -> None:
    result = result_of(detail["state"], ready="started")
    if result is None:
        return collector.leave_out("of CodeDeploy", "its state is none of a deployment")
    at = event["time"].time()
    collector.add(
        Fact(
            kind="deployment",
            service=detail["application"].text(),
            environment=detail["deploymentGroup"].exact(),
            result=result,
            started_at=begin(result, at) if detail["state"].word() == "start" else None,
            finished_at=finish(result, at),
            occurred_at=at,
            external_id=detail["deploymentId"].text(),
        )
    )
    return None


_READERS: dict[str, Callable[[Part, Part, Collector], None]] = {
    "ECR Image Action": _read_push,
    "ECR Image Scan": _read_scan,
    "CodeBuild Build State Change": _read_build,
    "CodePipeline Pipeline Execution State Change": _read_pipeline,
    "CodeDeploy Deployment State-change Notification": _read_deployment,
    "CloudWatch Alarm State Change": _read_alarm_event,
}


def _identify(body: Part) -> str | None:
    if body["Records"].is_list:
        return body["Records", 0, "Sns", "MessageId"].text() if len(body["Records"]) == 1 else None
    return body["MessageId"].text() or body["id"].text()


SOURCE = Sender(
    kind="aws",
    title="Amazon Web Services",
    read=_read,
    scheme=SharedSecret(("Authorization", "X-Api-Key"), may_be_in_address=True),
    marks=("X-Amz-Sns-Message-Type",),
    delivery_headers=("X-Amz-Sns-Message-Id",),
    identify=_identify,
)
