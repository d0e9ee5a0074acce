"""Outgoing calls: which addresses are called, and which only where an administrator allows it."""

import ipaddress
import socket
from datetime import UTC, datetime

import httpx
import pytest

from promotion.exceptions import InputError
from promotion.integrity.outgoing import (
    AddressRefusedError,
    Allowance,
    is_private,
    list_allowances,
    open_client,
)
from promotion.models import AllowedNetwork
from tests.parts.recording_server import Answer, Asked, RecordingServer, run_recording_server

pytestmark = pytest.mark.django_db

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]


@pytest.fixture
def server():
    with run_recording_server(lambda asked: Answer(200, {}, b"here")) as running:
        yield running


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_no_public_network_is_private(address: str) -> None:
    assert is_private(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1"]
)
def test_an_ordinary_address_is_not_private(address: str) -> None:
    assert not is_private(ipaddress.ip_address(address))


def test_a_private_address_is_not_called_and_the_refusal_says_who_can_allow_it(
    server: RecordingServer,
) -> None:
    with open_client() as client, pytest.raises(AddressRefusedError) as caught:
        client.get(server.base_url)
    assert server.asked == []
    assert "127.0.0.1" in caught.value.sentence
    assert "administrator" in caught.value.sentence
    assert not caught.value.retryable


def test_a_name_is_judged_by_the_address_it_has(server: RecordingServer) -> None:
    with open_client() as client, pytest.raises(AddressRefusedError):
        client.get(server.other_host_url)
    assert server.asked == []


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_other_spellings_of_loopback_are_refused_too(server: RecordingServer, host: str) -> None:
    with open_client() as client, pytest.raises(AddressRefusedError):
        client.get(f"http://{host}:{server.port}/")
    assert server.asked == []


def test_a_network_of_the_settings_may_be_called(server: RecordingServer, settings) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    with open_client() as client:
        assert client.get(server.base_url).text == "here"


def test_an_allowed_port_allows_no_other_port(server: RecordingServer, settings) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32:1"]
    with open_client() as client, pytest.raises(AddressRefusedError):
        client.get(server.base_url)
    settings.ALLOWED_PRIVATE_NETWORKS = [f"127.0.0.1/32:{server.port}"]
    with open_client() as client:
        assert client.get(server.base_url).status_code == 200


def test_a_network_an_administrator_allowed_may_be_called(server: RecordingServer) -> None:
    AllowedNetwork.objects.create(
        network="127.0.0.1/32",
        port=server.port,
        reason="The test's own server",
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
    )
    with open_client() as client:
        assert client.get(server.base_url).status_code == 200


def test_a_redirect_is_not_followed_by_itself(settings) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    with (
        run_recording_server(lambda asked: Answer(302, {"Location": "/elsewhere"})) as running,
        open_client() as client,
    ):
        assert client.get(running.base_url).status_code == 302
        assert [asked.path for asked in running.asked] == ["/"]


def test_a_redirect_to_an_address_nobody_allowed_is_refused(
    server: RecordingServer, settings
) -> None:
    def send_on(asked: Asked) -> Answer:
        return Answer(302, {"Location": f"{server.base_url}/secret"})

    with run_recording_server(send_on) as front:
        settings.ALLOWED_PRIVATE_NETWORKS = [f"127.0.0.1/32:{front.port}"]
        with open_client(follow_redirects=True) as client, pytest.raises(AddressRefusedError):
            client.get(front.base_url)
    assert server.asked == []


def test_the_address_that_was_checked_is_the_one_connected_to(
    server: RecordingServer, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that may be called when checked, and is elsewhere a moment later, gains nothing."""
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.2/32"]
    answers = iter(["127.0.0.2", "127.0.0.1"])
    really = socket.getaddrinfo

    def resolve(host: str, port: int, *rest, **named):
        if host == "rebound.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]
        return really(host, port, *rest, **named)

    monkeypatch.setattr("promotion.integrity.outgoing.socket.getaddrinfo", resolve)
    # Nobody listens on 127.0.0.2: that the call fails shows that it did not go to 127.0.0.1.
    with open_client(timeout=2.0) as client, pytest.raises(httpx.ConnectError):
        client.get(f"http://rebound.example:{server.port}/")
    assert server.asked == []
    assert list(answers) == ["127.0.0.1"]


def test_of_several_addresses_only_those_that_may_be_called_are_tried(
    server: RecordingServer, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = socket.getaddrinfo

    def resolve(host: str, port: int, *rest, **named):
        if host == "both.example":
            each = ["10.255.255.1", "127.0.0.1"]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in each]
        return really(host, port, *rest, **named)

    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    monkeypatch.setattr("promotion.integrity.outgoing.socket.getaddrinfo", resolve)
    with open_client(timeout=2.0) as client:
        assert client.get(f"http://both.example:{server.port}/").status_code == 200


def test_a_name_without_an_address_cannot_be_reached() -> None:
    with open_client() as client, pytest.raises(httpx.ConnectError):
        client.get("http://nowhere.invalid/")


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "file:///etc/passwd", "gopher://example.org/"]
)
def test_only_http_and_https_are_spoken(url: str) -> None:
    with open_client() as client, pytest.raises(httpx.UnsupportedProtocol):
        client.get(url)


def test_a_proxy_named_in_the_environment_is_not_used(
    server: RecordingServer, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with open_client() as client:
        assert client.get(server.base_url).status_code == 200


@pytest.mark.parametrize(
    ("text", "network", "port"),
    [
        ("10.0.0.0/8", "10.0.0.0/8", None),
        ("127.0.0.1/32:5000", "127.0.0.1/32", 5000),
        ("127.0.0.1", "127.0.0.1/32", None),
        ("[::1/128]:80", "::1/128", 80),
        ("fd00::/8", "fd00::/8", None),
    ],
)
def test_a_network_is_read_with_and_without_a_port(
    text: str, network: str, port: int | None
) -> None:
    assert Allowance.parse(text) == Allowance(ipaddress.ip_network(network), port)


@pytest.mark.parametrize("text", ["", "everything", "10.0.0.0/99", "127.0.0.1:http"])
def test_a_bad_network_in_the_settings_stops_every_call(text: str, settings) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = [text]
    with pytest.raises(InputError):
        list_allowances()
