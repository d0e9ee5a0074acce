"""One exchange with a registry: sent, limited in size, and its failures put into sentences."""

import functools
import json
import socket
import ssl
from typing import Any

import httpx

from promotion.integrity.oci.errors import (
    ImageNotFoundError,
    RepositoryRefusedError,
    RepositoryUnreachableError,
    UnsupportedManifestError,
)

# Time-out, too early, too many requests.
_TRY_AGAIN = frozenset({408, 425, 429})
_LARGEST_ERROR = 64 * 1024
# Few, large reads cost less than many small ones; kernels may give less than asked for.
_SOCKET_BUFFER = 1024 * 1024


def make_client(transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Return a client fit for registries: it follows no redirects and waits a minute at most.

    Give a transport to guard the addresses that are called. The caller closes the client.
    """
    return httpx.Client(
        transport=transport or make_transport(),
        timeout=httpx.Timeout(60.0, connect=10.0),
        follow_redirects=False,
        headers={"User-Agent": "throughline"},
    )


@functools.cache
def _load_trust() -> ssl.SSLContext:
    """Read the certificate authorities once in a process: it takes longer than a small copy."""
    return httpx.create_ssl_context()


def make_transport() -> httpx.HTTPTransport:
    """Return a transport with connections enough for parallel blobs and with large buffers."""
    return httpx.HTTPTransport(
        verify=_load_trust(),
        limits=httpx.Limits(max_connections=20, max_keepalive_connections=20),
        socket_options=[
            (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
            (socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BUFFER),
            (socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER),
        ],
    )


def send_once(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """Send a request and return the answer, its body unread.

    Raises RepositoryUnreachableError, and what the request's own body raises.
    """
    try:
        return client.send(request, stream=True, follow_redirects=False)
    except httpx.TransportError as error:
        raise explain_failure(error, request.url.host) from error


def explain_failure(error: Exception, host: str) -> RepositoryUnreachableError:
    """Return the error for a connection that could not be made or broke."""
    if isinstance(error, httpx.TimeoutException):
        why = "did not answer in time"
    elif isinstance(error, httpx.ConnectError):
        why = f"cannot be reached ({error})"
    else:
        why = f"broke off ({type(error).__name__}: {error})"
    return RepositoryUnreachableError(
        f"The registry {host} {why}. Nothing was named there. Try again later."
    )


def read_limited(response: httpx.Response, limit: int) -> bytes:
    """Return the body of an answer; raises UnsupportedManifestError beyond `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    try:
        for part in response.iter_raw():
            size += len(part)
            if size > limit:
                raise UnsupportedManifestError(
                    f"The registry {response.url.host} answered with more than {limit} bytes "
                    f"at {response.url.path}. They were not used. Check what was pushed there."
                )
            parts.append(part)
    except httpx.TransportError as error:
        raise explain_failure(error, response.url.host) from error
    return b"".join(parts)


def check_answer(response: httpx.Response, doing: str) -> None:
    """Raise the error that fits an answer without success; `doing` completes "could not …"."""
    status = response.status_code
    if response.is_success:
        return
    said = _read_complaint(response)
    where = f"{response.url.host} answered {status}{said}"
    if status == httpx.codes.NOT_FOUND:
        raise ImageNotFoundError(
            f"Could not {doing}: {where}. Nothing was changed. "
            "Check the name, or push the image first."
        )
    if status in _TRY_AGAIN or response.is_server_error:
        raise RepositoryUnreachableError(
            f"Could not {doing}: {where}. No tag was changed. Try again later."
        )
    if status in {401, 403}:
        raise RepositoryRefusedError(
            f"Could not {doing}: {where}. Nothing was changed. "
            "Check the credentials of the connection and what they may do."
        )
    raise RepositoryRefusedError(
        f"Could not {doing}: {where}. No tag was changed. "
        "Check what the registry accepts, then ask again."
    )


def _read_complaint(response: httpx.Response) -> str:
    """Return the registry's own code and message, shortened, printable and in brackets."""
    try:
        raw = read_limited(response, _LARGEST_ERROR)
        document: Any = json.loads(raw)
        first = document["errors"][0]
        text = f"{first.get('code', '')}: {first.get('message', '')}"
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""
    except (UnsupportedManifestError, RepositoryUnreachableError):
        return ""
    return " (" + "".join(sign for sign in text[:200] if sign.isprintable()) + ")"
