"""The step http: calls an outside system with a signed message that it can refuse to repeat."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import httpx

from promotion.exceptions import UnreachableError
from promotion.integrity.calling import (
    address_problems,
    connection_of,
    header_problems,
    locate,
    prove,
)
from promotion.integrity.outgoing import open_client
from promotion.rules.settings import (
    Problem,
    check_flag,
    check_statuses,
    sets_of,
    targets_of,
    unknown_keys,
)

from .base import Outcome, StepContext, StepResult

SETTINGS = ("url", "connection", "path", "method", "body", "headers", "expect", "repeatable")
METHODS = ("POST", "PUT", "PATCH", "DELETE")
# Time-out, too early, too many requests, and a gateway that let nothing through: not done yet.
NOT_DONE = frozenset({408, 425, 429, 503})
KEPT_ANSWER = 500
CALL_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class HttpStep:
    """One signed request (for each target, where the settings name {target}); 2xx is success."""

    kind = "http"
    title = "Call a service"
    default_timeout: timedelta | None = timedelta(minutes=5)
    is_verification = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`url`, or `connection` and `path`, is needed."""
        yield from unknown_keys(self.kind, settings, SETTINGS)
        yield from address_problems(settings)
        yield from header_problems(settings)
        yield from check_statuses(settings)
        yield from check_flag(settings, "repeatable")
        if settings.get("method", "POST") not in METHODS:
            yield "method", f"method must be one of {', '.join(METHODS)}."
        if not isinstance(settings.get("body", {}), Mapping):
            yield "body", "body must be a mapping; it is sent as JSON."

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'POST to deployer'."""
        first = sets_of(inputs)[0]
        to = first.get("connection") or httpx.URL(str(first.get("url", ""))).host
        return f"{first.get('method', 'POST')} to {to}"

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Unless the settings say repeatable: false; the far side knows a repeat by its key."""
        return all(one.get("repeatable", True) for one in sets_of(inputs))

    def start(self, context: StepContext) -> StepResult:
        """Send; raises UnreachableError where another try may help, AddressRefusedError, InputError."""
        outputs: list[Mapping[str, Any]] = []
        for one in sets_of(context.inputs):
            if outputs and context.should_stop():
                return StepResult(Outcome.WAITING, "Stopped as asked.", look_again_in=timedelta(0))
            result = _call(context, one)
            outputs.append(result.output)
            if result.outcome is not Outcome.SUCCEEDED:
                return StepResult(result.outcome, result.message, {"calls": outputs})
        return StepResult(Outcome.SUCCEEDED, result.message, {"calls": outputs})

    def look(self, context: StepContext) -> StepResult:
        """It waits only when stopped between calls; what was sent is refused or repeated by key."""
        return self.start(context)


def _call(context: StepContext, inputs: Mapping[str, Any]) -> StepResult:
    connection = connection_of(inputs)
    url = locate(inputs, connection)
    target = inputs.get("target")
    key = f"{context.key}-{target}" if target else context.key
    body = json.dumps(_body(context, inputs), ensure_ascii=False, sort_keys=True).encode()
    headers = {
        **{str(name): str(value) for name, value in (inputs.get("headers") or {}).items()},
        "Content-Type": "application/json",
        "Idempotency-Key": key,
        **prove(connection, key, context.at, body),
    }
    with open_client(timeout=CALL_TIMEOUT) as client:
        request = client.build_request(
            str(inputs.get("method", "POST")), url, headers=headers, content=body
        )
        return _send(client, request, inputs)


def _send(client: httpx.Client, request: httpx.Request, inputs: Mapping[str, Any]) -> StepResult:
    host = request.url.host
    may_repeat = bool(inputs.get("repeatable", True))
    try:
        response = client.send(request, stream=True)
        try:
            said = b"".join(_first_bytes(response)).decode(errors="replace")[:KEPT_ANSWER]
        finally:
            response.close()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
        raise UnreachableError(
            f"{host} cannot be reached ({error}). Nothing was sent.",
            retryable=not isinstance(error, httpx.UnsupportedProtocol),
        ) from error
    except httpx.TransportError as error:
        if may_repeat:
            raise UnreachableError(
                f"{host} broke off or did not answer in time ({type(error).__name__})."
                " It is sent again with the same key."
            ) from error
        return StepResult(
            Outcome.UNKNOWN, _unknown(host, f"did not answer ({type(error).__name__})")
        )
    return _judge(response, said, host, inputs)


def _judge(response: httpx.Response, said: str, host: str, inputs: Mapping[str, Any]) -> StepResult:
    status = response.status_code
    output = {"status": status, "answer": said}
    expected = inputs.get("expect")
    is_good = status in expected if expected else response.is_success
    if is_good:
        return StepResult(Outcome.SUCCEEDED, f"{host} answered {status}.", output)
    if status in NOT_DONE or (response.is_server_error and inputs.get("repeatable", True)):
        raise UnreachableError(f"{host} answered {status}. It is sent again with the same key.")
    if response.is_server_error:
        return StepResult(Outcome.UNKNOWN, _unknown(host, f"answered {status}"), output)
    if response.is_redirect:
        to = response.headers.get("location", "")[:200]
        message = f"{host} answered {status} and points to {to!r}; redirects are not followed."
        return StepResult(Outcome.FAILED, message, output)
    shown = " ".join(said.split())[:200]
    return StepResult(
        Outcome.FAILED, f"{host} answered {status}{': ' if shown else ''}{shown}.", output
    )


def _unknown(host: str, what: str) -> str:
    return (
        f"{host} {what}, so whether it was done is not known, and repeating is not safe."
        " Say whether it is done, or have it repeated, or give up."
    )


def _first_bytes(response: httpx.Response) -> Iterator[bytes]:
    """As much of the answer as is kept; the rest is not waited for."""
    size = 0
    for chunk in response.iter_bytes():
        yield chunk
        size += len(chunk)
        if size >= 4 * KEPT_ANSWER:
            return


def _body(context: StepContext, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the settings say, else what is promoted."""
    if inputs.get("body") is not None:
        return dict(inputs["body"])
    promotion, release = context.promotion, context.promotion.release
    targets = [inputs["target"]] if "target" in inputs else context.step_run.targets
    return {
        "promotion": promotion.number,
        "service": promotion.service.slug,
        "version": release.version,
        "digests": {one.short_name: one.digest for one in release.artifacts.all()},
        "environment": promotion.environment.slug,
        "targets": list(targets or targets_of(inputs)),
    }
