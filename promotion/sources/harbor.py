"""Harbor webhooks, in its own format and as CloudEvents."""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import clean_image
from .envelopes import identify
from .reading import Part
from .sender import Collector, Sender

_PUSHED = {"push_artifact", "harbor.artifact.pushed"}
_SCANNED = {"scanning_completed", "harbor.scan.completed"}


def _read(body: Part, headers: Headers, collector: Collector) -> None:
    event = body["type"].word() or headers.get("Ce-Type", "").lower()
    if event not in _PUSHED | _SCANNED:
        return collector.leave_out(body["type"].text())
    data = next((one for one in (body["event_data"], body["data"]) if one.is_object), body)
    resources = data["resources"]
    if not len(resources):
        return collector.leave_out(body["type"].text(), "it names no resource")
    for resource in resources:
        if event in _PUSHED:
            collector.add(_artifact(body, data, resource))
        else:
            collector.add(_scan(body, resource))
    return None


def _artifact(body: Part, data: Part, resource: Part) -> Fact:
    repository = data["repository"]
    namespace, name = repository["namespace"].text(), repository["name"].text()
    place = clean_image(resource["resource_url"].value)
    return Fact(
        kind="artifact",
        name=repository["repo_full_name"].text()
        or (f"{namespace}/{name}" if namespace and name else place.name),
        version=resource["tag"].version(),
        digest=resource["digest"].digest() or place.digest,
        occurred_at=_occurred_at(body).time(),
        url=resource["resource_url"].text(),
        actor=body["operator"].text(),
    )


def _scan(body: Part, resource: Part) -> Fact:
    overview = resource["scan_overview"]
    report = next((overview[key] for key in overview.names()), Part(None))
    place = clean_image(resource["resource_url"].value)
    scanner = report["scanner", "name"].text()
    return Fact(
        kind="evidence",
        name="scan",
        version=resource["tag"].version(),
        digest=resource["digest"].digest() or place.digest,
        # Harbor counts findings; whether they are too many it does not say.
        occurred_at=_occurred_at(body).time(),
        external_id=report["report_id"].text(),
        severity=report["severity"].text(),
        details={"scanner": scanner} if scanner else {},
    )


def _occurred_at(body: Part) -> Part:
    return body["occur_at"] or body["time"]


SOURCE = Sender(
    kind="harbor",
    title="Harbor",
    read=_read,
    scheme=SharedSecret(),
    identify=identify,
)
