"""Which address a step calls, with which headers: of its own, or of a connection."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from promotion.exceptions import InputError
from promotion.integrity.connecting import find_connection
from promotion.models import Connection

from .settings import Problem, check_text, check_url

# What we write ourselves, or what would be a secret in a pipeline.
RESERVED_HEADERS = frozenset(
    {
        "authorization", "content-length", "content-type", "cookie", "host", "idempotency-key",
        "proxy-authorization", "transfer-encoding", "webhook-id", "webhook-signature",
        "webhook-timestamp",
    }
)  # fmt: skip


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


def authorize(connection: Connection | None) -> dict[str, str]:
    """The Authorization header of a connection whose settings say authorization: bearer or basic.

    Without that setting the connection's secret signs instead and is never sent.
    """
    kind = "" if connection is None else str(connection.settings.get("authorization", ""))
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
