"""Which address a step or gate calls, with which headers: of its own, or of a connection."""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from promotion.exceptions import InputError
from promotion.integrity.connecting import find_connection, signing_secret
from promotion.integrity.webhooks import sign_message
from promotion.models import Connection
from promotion.rules.settings import Problem, check_text, check_url

# What we write ourselves, or what would be a secret in a pipeline.
RESERVED_HEADERS = frozenset(
    {
        "authorization", "content-length", "content-type", "cookie", "host", "idempotency-key",
        "proxy-authorization", "transfer-encoding", "webhook-id", "webhook-signature",
        "webhook-timestamp",
    }
)  # fmt: skip

MOST_BYTES = 1024 * 1024
MOST_SECONDS = 60.0


def address_problems(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Either `url`, or `connection` with an optional `path` below its address."""
    yield from check_url(settings)
    yield from check_text(settings, "connection", what="the name of a connection")
    yield from check_text(settings, "path", what="a path below the connection's address")
    if (settings.get("url") is None) == (settings.get("connection") is None):
        yield "url", "Either url or connection says what is called; give one of them."
    if settings.get("path") is not None and settings.get("connection") is None:
        yield "path", "path needs a connection; put it into url."
    if ".." in str(settings.get("path") or "").split("/"):
        yield "path", "path must stay below the connection's address, without '..'."


def header_problems(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """`headers` is a mapping of texts, none of them ours or a secret."""
    headers = settings.get("headers")
    if headers is None:
        return
    if not isinstance(headers, Mapping):
        yield "headers", "headers must be a mapping of names to texts."
        return
    for name, value in headers.items():
        if str(name).lower() in RESERVED_HEADERS:
            yield f"headers.{name}", f"{name} is set by us; keep credentials in a connection."
        elif not isinstance(value, str) or not value.isprintable() or not str(name).isascii():
            yield f"headers.{name}", f"{name} must be a text of printable signs."


def connection_of(inputs: Mapping[str, Any]) -> Connection | None:
    """The connection that is called, None where the settings have an address; raises InputError."""
    name = inputs.get("connection")
    return None if name is None else find_connection(str(name), Connection.Kind.HTTP)


def locate(inputs: Mapping[str, Any], connection: Connection | None) -> str:
    """The whole address; raises InputError where the path would leave the connection's."""
    if connection is None:
        return str(inputs["url"])
    path = str(inputs.get("path") or "")
    # A template filled in may bring what no pipeline check has seen.
    if ".." in path.split("/") or "\\" in path:
        raise InputError(
            f"The path {path[:200]!r} leaves the address of the connection {connection.name}."
            " Nothing was called. Correct the pipeline."
        )
    return f"{connection.address.rstrip('/')}/{path.lstrip('/')}" if path else connection.address


def prove(connection: Connection | None, key: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers by which the far side knows us: an Authorization, else a signature of the body.

    `key` is the message's; raises InputError for credentials that cannot be used.
    """
    sent = authorize(connection)
    if sent or connection is None:
        return sent
    secret = signing_secret(connection)
    return {} if secret is None else sign_message(secret, key, at, body)


def log_in(connection: Connection) -> dict[str, str]:
    """The Authorization header for a tool that checks no signatures.

    As the connection's settings say, else the secret with the username, or alone as a bearer's.
    """
    usual = "basic" if connection.username else "bearer" if connection.secret else ""
    return authorize(connection, usual=usual)


def authorize(connection: Connection | None, *, usual: str = "") -> dict[str, str]:
    """The Authorization header of a connection whose settings say authorization: bearer or basic.

    `usual` holds without that setting. By default the connection's secret then signs instead and is
    never sent.
    """
    kind = "" if connection is None else str(connection.settings.get("authorization", usual))
    if connection is None or not kind:
        return {}
    if kind == "bearer":
        return {"Authorization": f"Bearer {connection.secret}"}
    if kind == "basic":
        pair = base64.b64encode(f"{connection.username}:{connection.secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    raise InputError(
        f"The connection {connection.name} asks for the authorization {kind[:40]!r}; bearer and"
        " basic are known. Nothing was called. Correct the connection."
    )


@dataclass(frozen=True, slots=True)
class Answered:
    """What a called system answered: the status, and as much of the body as is read."""

    status: int
    body: bytes
    is_whole: bool
    """False where the body is longer than is read; it is then not understood."""

    def json(self) -> Any:
        """The body read as JSON; None where it is none."""
        try:
            return json.loads(self.body) if self.is_whole else None
        except (ValueError, RecursionError):
            return None


def read_answer(
    client: httpx.Client, request: httpx.Request, *, most_bytes: int = MOST_BYTES
) -> Answered:
    """Send and read the answer, up to so many bytes and so many seconds; raises httpx's errors.

    The client's own time-outs are for each read alone, and a far side that sends one byte at a time
    would hold a worker for ever.
    """
    body = bytearray()
    ends = time.monotonic() + MOST_SECONDS
    response = client.send(request, stream=True)
    try:
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > most_bytes:
                return Answered(response.status_code, bytes(body[:most_bytes]), False)
            if time.monotonic() > ends:
                raise httpx.ReadTimeout("The answer takes too long.", request=request)
    finally:
        response.close()
    return Answered(response.status_code, bytes(body), True)
