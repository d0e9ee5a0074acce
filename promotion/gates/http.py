"""The http gate: an outside service says whether the promotion may go."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import httpx

from promotion.integrity.calling import (
    Answered,
    address_problems,
    connection_of,
    header_problems,
    locate,
    prove,
    read_answer,
)
from promotion.integrity.outgoing import open_client
from promotion.rules.settings import Problem, unknown_keys

from .base import GateContext, GateOutcome, Verdict
from .filled import fill_settings

SETTINGS = ("url", "connection", "path", "headers")
CALL_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
RETRY_IN = timedelta(seconds=30)
# Nobody tells us when the service changes its mind.
LOOK_AGAIN_IN = timedelta(minutes=5)
FRESH_FOR = timedelta(minutes=2)
LONGEST_REASON = 500


class HttpGate:
    """Posts what is asked for, signed; the answer is {"verdict": open|waiting|closed, "reason": …}."""

    kind = "http"
    title = "Outside check"
    is_costly = True

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`url`, or `connection` and `path`, is needed."""
        yield from unknown_keys(self.kind, settings, SETTINGS, what="gate")
        yield from address_problems(settings)
        yield from header_problems(settings)

    def evaluate(self, context: GateContext) -> GateOutcome:
        """As the service says; anything but a clear answer is waited for.

        Raises AddressRefusedError and InputError, which close it.
        """
        settings = fill_settings(context)
        connection = connection_of(settings)
        url = locate(settings, connection)
        body = json.dumps(_question(context), ensure_ascii=False, sort_keys=True).encode()
        # Each asking is a message of its own: a far side that refuses repeats must answer anew.
        key = f"throughline-p{context.promotion.pk}-gate-{int(context.at.timestamp() * 1000)}"
        headers = {
            **{str(name): str(value) for name, value in (settings.get("headers") or {}).items()},
            "Content-Type": "application/json",
            "Accept": "application/json",
            **prove(connection, key, context.at, body),
        }
        host = httpx.URL(url).host
        try:
            with open_client(timeout=CALL_TIMEOUT) as client:
                request = client.build_request("POST", url, headers=headers, content=body)
                answer = read_answer(client, request)
        except httpx.HTTPError as error:
            return _wait(f"{host} did not answer ({type(error).__name__}). It is asked again.")
        return _judge(host, answer)


def _judge(host: str, answer: Answered) -> GateOutcome:
    if answer.status != 200:
        return _wait(f"{host} answered {answer.status}. It is asked again.")
    told = answer.json()
    verdict = told.get("verdict") if isinstance(told, Mapping) else None
    if verdict not in Verdict.values:
        return _wait(f"{host} gave no verdict: open, waiting or closed. It is asked again.")
    said = told.get("reason")
    reason = " ".join(said.split())[:LONGEST_REASON] if isinstance(said, str) else ""
    reason = f"{host}: {reason}" if reason else f"{host} says {verdict}."
    if verdict == Verdict.OPEN:
        return GateOutcome(Verdict.OPEN, reason, fresh_for=FRESH_FOR)
    return GateOutcome(Verdict(verdict), reason, look_again_in=LOOK_AGAIN_IN)


def _wait(reason: str) -> GateOutcome:
    return GateOutcome(Verdict.WAITING, reason, look_again_in=RETRY_IN)


def _question(context: GateContext) -> Mapping[str, Any]:
    """What is asked about: exactly the content that would be promoted."""
    promotion, release = context.promotion, context.promotion.release
    return {
        "promotion": promotion.number,
        "kind": promotion.kind,
        "service": promotion.service.slug,
        "version": release.version,
        "commit": release.commit,
        "digests": {one.short_name: one.digest for one in release.artifacts.all()},
        "environment": promotion.environment.slug,
        "stage": promotion.stage,
        "content_hash": promotion.content_hash,
    }
