"""Grafana alerting: 8 and later in the shape of Alertmanager, 7 and before one rule at a time."""

from .alertmanager import read_alerts
from .authentication import AnyOf, HexSignature, TimedSignature
from .authentication_tokens import SharedSecret
from .base import Delivery, Fact, Headers
from .reading import Part
from .sender import Collector, Sender

_STATES = {"alerting": "opened", "ok": "resolved"}
_SIGNATURE = "X-Grafana-Alerting-Signature"
_TIME = "X-Grafana-Alerting-Timestamp"


class _Timed(TimedSignature):
    """The signature with a time, where the contact point is set to send the time's header."""

    def is_used_by(self, delivery: Delivery) -> bool:
        return _TIME in delivery.headers


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    if body["alerts"].is_list:
        return read_alerts(body, collector)
    result = _STATES.get(body["state"].word())
    if result is None:
        return collector.leave_out(body["state"].text(), "the rule neither fires nor is resolved")
    return collector.add(
        Fact(
            kind="incident",
            name=body["ruleName"].text() or body["title"].text(),
            result=result,
            external_id=body["ruleId"].text(),
            url=body["ruleUrl"].text(),
        )
    )


def _signature(delivery: Delivery) -> tuple[str, list[str]]:
    headers = delivery.headers
    return headers.get(_TIME, "").strip(), [headers.get(_SIGNATURE, "").strip().lower()]


SOURCE = Sender(
    kind="grafana",
    title="Grafana",
    read=_read,
    scheme=AnyOf(
        (
            _Timed(_SIGNATURE, _signature, b":"),
            HexSignature(_SIGNATURE, prefix=""),
            SharedSecret(),
        )
    ),
    marks=(_SIGNATURE,),
)
