"""CDEvents 0.3 to 0.6, bare or as the data of a CloudEvent.

Specification: cdevents.dev. A type is dev.cdevents.<subject>.<predicate>.<version>; the version
is not looked at, since what is read here has kept its place through all of them.
"""

import re
from collections.abc import Callable
from datetime import datetime

from .authentication import AnyOf
from .authentication_tokens import SharedSecret, StandardWebhooks
from .base import Fact, Headers
from .cleaning import clean_commit, clean_purl
from .envelopes import open_envelope
from .reading import Part
from .results import finish, result_of
from .sender import Collector, Sender

PREFIX = "dev.cdevents."
_TYPE = re.compile(r"dev\.cdevents\.([a-z]+)\.([a-z]+)(?:\..*)?", re.ASCII)
_SERVICE_RESULTS = {
    "deployed": "succeeded",
    "upgraded": "succeeded",
    "rolledback": "rolled_back",
    "removed": "removed",
}


def read_cdevent(event: Part, collector: Collector, stated_type: str | None = None) -> None:
    """Turn one CDEvent into its fact; other events of the specification become nothing."""
    kind = event["context", "type"].text() or stated_type or ""
    match = _TYPE.fullmatch(kind)
    read = _READERS.get(match[1]) if match else None
    at = event["context", "timestamp"].time()
    fact = read(match[2], event["subject"], at) if match and read else None
    if fact is None:
        return collector.leave_out(kind or None)
    if fact.result is None and fact.kind == "approval":
        return collector.leave_out(kind, "its decision is neither approved nor rejected")
    return collector.add(fact)


def _run(predicate: str, subject: Part, at: datetime | None) -> Fact | None:
    content = subject["content"]
    states: dict[str, str | None] = {
        "queued": "queued",
        "started": "started",
        "finished": result_of(content["outcome"]),
    }
    if predicate not in states:
        return None
    result = states[predicate]
    return Fact(
        kind="build",
        name=content["pipelineName"].text(),
        digest=clean_purl(content["artifactId"].value).digest,
        result=result,
        started_at=at if predicate == "started" else None,
        finished_at=at if predicate == "finished" else None,
        occurred_at=at,
        external_id=subject["id"].text(),
        url=content["uri"].text(),
    )


def _artifact(predicate: str, subject: Part, at: datetime | None) -> Fact | None:
    identity = subject["id"].text()
    image = clean_purl(identity)
    if predicate == "signed":
        return Fact(
            kind="evidence",
            name="signature",
            digest=image.digest,
            version=image.version,
            occurred_at=at,
            external_id=identity,
        )
    if predicate not in {"packaged", "published"}:
        return None
    content = subject["content"]
    return Fact(
        kind="artifact",
        name=image.name,
        version=image.version,
        digest=image.digest,
        commit=clean_commit(content["change", "id"].value),
        occurred_at=at,
        external_id=identity,
        actor=content["user"].text(),
    )


def _service(predicate: str, subject: Part, at: datetime | None) -> Fact | None:
    result = _SERVICE_RESULTS.get(predicate)
    if result is None:
        return None
    content = subject["content"]
    image = clean_purl(content["artifactId"].value)
    service = subject["id"].text()
    return Fact(
        kind="deployment",
        service=service,
        environment=content["environment", "id"].exact(),
        # The event has no id of the deployment: it is known by what was deployed.
        name=service,
        version=image.version,
        digest=image.digest,
        result=result,
        finished_at=finish(result, at),
        occurred_at=at,
        deployment_kind="rollback" if result == "rolled_back" else None,
    )


def _incident(predicate: str, subject: Part, at: datetime | None) -> Fact | None:
    result = {"detected": "opened", "reported": "opened", "resolved": "resolved"}.get(predicate)
    if result is None:
        return None
    content = subject["content"]
    return Fact(
        kind="incident",
        service=content["service", "id"].text(),
        environment=content["environment", "id"].exact(),
        digest=clean_purl(content["artifactId"].value).digest,
        name=content["description"].text(),
        result=result,
        occurred_at=at,
        external_id=subject["id"].text(),
        url=content["ticketURI"].text(),
    )


def _test(predicate: str, subject: Part, at: datetime | None) -> Fact | None:
    if predicate != "finished":
        return None
    content = subject["content"]
    passed = {"succeeded": "passed", "failed": "failed"}
    suite = content["testSuite", "name"].text() or content["testSuite", "id"].text()
    return Fact(
        kind="evidence",
        name="test",
        environment=content["environment", "id"].exact(),
        result=passed.get(result_of(content["outcome"]) or ""),
        occurred_at=at,
        external_id=subject["id"].text(),
        severity=content["severity"].text(),
        details={"suite": suite} if suite else {},
    )


def _change(predicate: str, subject: Part, at: datetime | None) -> Fact | None:
    if predicate != "merged":
        return None
    identity = subject["id"].text()
    return Fact(
        kind="change",
        repository=subject["content", "repository", "id"].repository(),
        commit=clean_commit(identity),
        occurred_at=at,
        external_id=identity,
    )


def _approval(predicate: str, subject: Part, at: datetime | None) -> Fact | None:
    if predicate != "closed":
        return None
    content = subject["content"]
    decision = content["decision"].word() or content["status"].word()
    return Fact(
        kind="approval",
        result=decision if decision in {"approved", "rejected"} else None,
        occurred_at=at,
        external_id=subject["id"].text(),
        url=content["approvalDetailsUrl"].text(),
        actor=content["responder"].text(),
    )


_READERS: dict[str, Callable[[str, Part, datetime | None], Fact | None]] = {
    "build": _run,
    "pipelinerun": _run,
    "artifact": _artifact,
    "service": _service,
    "incident": _incident,
    "testsuiterun": _test,
    "change": _change,
    "approval": _approval,
}


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    envelope = open_envelope(body, headers)
    if envelope is not None:
        return read_cdevent(envelope.data, collector, envelope.type)
    return read_cdevent(body, collector)


def identify(body: Part) -> str | None:
    """An event is one by its source and id, in the envelope or in the context."""
    outer = body if body["specversion"].text() else body["context"]
    identity, source = outer["id"].text(), outer["source"].text()
    return f"{source}#{identity}" if identity and source else None


SOURCE = Sender(
    kind="cdevents",
    title="CDEvents",
    read=_read,
    scheme=AnyOf((StandardWebhooks(), SharedSecret(may_be_in_address=True))),
    delivery_headers=("webhook-id",),
    identify=identify,
)
