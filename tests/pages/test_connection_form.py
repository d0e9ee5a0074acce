"""Connections in Administration: what git over SSH needs is checked, kept encrypted and never shown."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from promotion.models import AuditEntry, Connection
from tests.factories import make_person
from tests.parts.ssh_server import make_key

pytestmark = [pytest.mark.django_db, pytest.mark.needs_sshd]
NEW = "/admin/promotion/connection/add/"


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_person("root", is_superuser=True, is_staff=True))
    return client


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, str]:
    return make_key(tmp_path / "key")


def fields(private: str, host: str, **given: Any) -> dict[str, Any]:
    return {
        "name": "gitops",
        "kind": "git",
        "address": "ssh://git@example.com/gitops.git",
        "username": "",
        "secret": "",
        "private_key": private,
        "known_hosts": host,
        "settings": "{}",
        **given,
    }


def test_a_key_and_the_hosts_keys_are_kept_and_the_key_is_never_shown(
    admin: Client, keys: tuple[str, str]
) -> None:
    private, public = keys
    answer = admin.post(NEW, fields(private.replace("\n", "\r\n"), f"example.com {public}"))
    assert answer.status_code == 302, answer.context["errors"]
    made = Connection.objects.get()
    assert made.secret.replace("\r\n", "\n") == private
    assert made.settings == {"known_hosts": f"example.com {public}"}
    page = admin.get(f"/admin/promotion/connection/{made.pk}/change/").content.decode()
    assert "PRIVATE KEY" not in page
    assert public in page
    assert "PRIVATE KEY" not in str(AuditEntry.objects.get(action="connection.make").details)


def test_an_empty_key_keeps_what_is_stored(admin: Client, keys: tuple[str, str]) -> None:
    private, public = keys
    admin.post(NEW, fields(private, public))
    made = Connection.objects.get()
    changed = fields("", public, address="git@example.com:other.git")
    answer = admin.post(f"/admin/promotion/connection/{made.pk}/change/", changed)
    assert answer.status_code == 302, answer.context["errors"]
    made.refresh_from_db()
    assert made.address == "git@example.com:other.git"
    assert made.secret == private


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"known_hosts": ""}, "nobody could tell the host"),
        ({"known_hosts": "example.com ssh-ed25519 AAAA"}, "Line 1 of the host keys"),
        ({"private_key": "-----BEGIN OPENSSH PRIVATE KEY-----\nx"}, "cannot be read"),
        ({"private_key": ""}, "needs a private key"),
        ({"address": "ssh://git:secret@example.com/x"}, "credentials apart"),
    ],
)
def test_what_cannot_work_is_refused_beside_its_field(
    admin: Client, keys: tuple[str, str], wrong: dict[str, str], said: str
) -> None:
    private, public = keys
    answer = admin.post(NEW, {**fields(private, public), **wrong})
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Connection.objects.exists()


def test_other_connections_need_none_of_it(admin: Client) -> None:
    given = fields("", "", kind="http", address="https://example.com", secret="s", settings="")
    answer = admin.post(NEW, given)
    assert answer.status_code == 302, answer.context["errors"]
    made = Connection.objects.get()
    assert (made.secret, made.settings) == ("s", {})
