"""Calls to other systems, none of them to a private address that nobody allowed.

The address is checked where the connection is made, and that very address is connected to: a name
that resolves to something else a moment later, or a redirect, changes nothing.
"""

import functools
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import httpcore
import httpx
from django.conf import settings

from promotion.exceptions import InputError, ThroughlineError
from promotion.models import AllowedNetwork

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Azure answers for a machine's metadata and keys at a public address.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
# RFC 6052: IPv4 addresses behind a translator.
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
# Few, large reads cost less than many small ones; kernels may give less than asked for.
_SOCKET_OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_RCVBUF, 1024 * 1024),
    (socket.SOL_SOCKET, socket.SO_SNDBUF, 1024 * 1024),
)
_MOST_CONNECTIONS = 20
DEFAULT_TIMEOUT = httpx.Timeout(60.0, connect=10.0)


class AddressRefusedError(ThroughlineError):
    """The host is at an address of a private network that nobody allowed."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """A network that may be called though it is private; `port` None means every port."""

    network: Network
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read CIDR or CIDR:port, IPv6 with a port as [CIDR]:port; raises InputError."""
        network, port = text.strip(), ""
        if network.startswith("["):
            network, _, port = network[1:].partition("]")
            port = port.removeprefix(":")
        elif network.count(":") == 1:
            network, _, port = network.partition(":")
        try:
            number = int(port) if port else None
            return cls(ipaddress.ip_network(network, strict=False), number)
        except ValueError as error:
            raise InputError(
                f"{text[:80]!r} is no network to allow, so nothing is called."
                " Write it as 10.1.0.0/16 or 127.0.0.1/32:5000."
            ) from error

    def covers(self, address: Address, port: int) -> bool:
        """Is the address in the network, and the port the one allowed?"""
        return address in self.network and self.port in (None, port)


def list_allowances() -> tuple[Allowance, ...]:
    """What the settings and the administrators allow now; raises InputError for a bad setting."""
    from_settings = [Allowance.parse(text) for text in settings.ALLOWED_PRIVATE_NETWORKS]
    rows = AllowedNetwork.objects.values_list("network", "port")
    return (
        *from_settings,
        *(Allowance(Allowance.parse(f"[{network}]").network, port) for network, port in rows),
    )


def is_private(address: Address) -> bool:
    """Is it anything but an ordinary public address: loopback, private, link-local, reserved …?"""
    inner = _embedded(address)
    if inner is not None:
        return is_private(inner)
    return not address.is_global or address.is_multicast or address in _METADATA


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


class GuardedBackend(httpcore.NetworkBackend):
    """Resolves a host, refuses private addresses, and connects to exactly the address it checked."""

    def __init__(self, allowed: Iterable[Allowance]) -> None:
        self._allowed = tuple(allowed)
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that may be called and answers.

        Raises AddressRefusedError where none may be called.
        """
        addresses = _resolve(host, port)
        permitted = [address for address in addresses if self._is_permitted(address, port)]
        if addresses and not permitted:
            raise AddressRefusedError(
                f"{host} is at {', '.join(map(str, addresses[:3]))}, which is not a public address,"
                " so it was not called. An administrator can allow that network under"
                " Administration, or in THROUGHLINE_ALLOWED_PRIVATE_NETWORKS."
            )
        failure: Exception = httpcore.ConnectError(f"{host} has no address.")
        for address in permitted:
            try:
                return self._backend.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Refuse: no outside system is behind a socket of this machine."""
        raise AddressRefusedError(f"{path} is a socket of this machine, so it was not called.")

    def _is_permitted(self, address: Address, port: int) -> bool:
        if not is_private(address):
            return True
        # Who allows 127.0.0.1 allows it in whatever form it is written.
        inner = _embedded(address)
        forms = (address,) if inner is None else (address, inner)
        return any(allowed.covers(form, port) for allowed in self._allowed for form in forms)


def open_socket(host: str, port: int, *, timeout: float) -> socket.socket:
    """Connect for a protocol other than HTTP, under the same guard; the caller closes it.

    `timeout` is in seconds, for each address. Raises AddressRefusedError and OSError.
    """
    try:
        stream = GuardedBackend(list_allowances()).connect_tcp(
            host, port, timeout, socket_options=_SOCKET_OPTIONS
        )
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
        raise OSError(str(error)) from error
    connected: socket.socket = stream.get_extra_info("socket")
    return connected


def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} has no address: {error}") from error
    return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))


class GuardedTransport(httpx.HTTPTransport):
    """HTTP over guarded connections; every hop of a redirect comes through here, too."""

    def __init__(self, allowed: Iterable[Allowance]) -> None:
        super().__init__(verify=_load_trust())
        # httpx has no public way to say how connections are made.
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=_load_trust(),
            max_connections=_MOST_CONNECTIONS,
            max_keepalive_connections=_MOST_CONNECTIONS,
            keepalive_expiry=5.0,
            network_backend=GuardedBackend(allowed),
            socket_options=_SOCKET_OPTIONS,
        )


@functools.cache
def _load_trust() -> ssl.SSLContext:
    """Read the certificate authorities once in a process: it takes longer than most calls."""
    return httpx.create_ssl_context()


def open_client(
    *,
    timeout: httpx.Timeout | float = DEFAULT_TIMEOUT,
    also_allowed: Iterable[Allowance] = (),
    follow_redirects: bool = False,
) -> httpx.Client:
    """Return a client that calls no private address but those allowed; the caller closes it.

    `timeout` is in seconds. Proxies named in the environment are not used: behind one nobody could
    tell which address is called. Calls raise AddressRefusedError, besides httpx's own errors.
    """
    return httpx.Client(
        transport=GuardedTransport((*list_allowances(), *also_allowed)),
        timeout=timeout,
        follow_redirects=follow_redirects,
        trust_env=False,
        headers={"User-Agent": "throughline"},
    )
