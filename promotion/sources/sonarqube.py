"""SonarQube and SonarCloud: the quality gate of an analysis."""

from .authentication import HexSignature
from .base import Fact, Headers
from .reading import Part
from .sender import Collector, Sender

_VERDICTS = {"ok": "passed", "error": "failed"}


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    gate = body["qualityGate"]
    if not gate.is_object:
        return collector.leave_out("of an analysis", "it carries no quality gate")
    project = body["project", "key"].text()
    return collector.add(
        Fact(
            kind="evidence",
            name="quality_gate",
            commit=body["revision"].commit(),
            result=_VERDICTS.get(gate["status"].word()),
            occurred_at=body["analysedAt"].time(),
            external_id=body["taskId"].text(),
            url=body["branch", "url"].text() or body["project", "url"].text(),
            details={"project": project} if project else {},
        )
    )


SOURCE = Sender(
    kind="sonarqube",
    title="SonarQube",
    read=_read,
    scheme=HexSignature("X-Sonar-Webhook-HMAC-SHA256", prefix=""),
    marks=("X-SonarQube-Project", "X-Sonar-Webhook-HMAC-SHA256"),
)
