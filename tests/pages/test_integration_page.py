"""The page of integrations: senders, tokens, connections."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from promotion.models import AuditEntry, Event, Role, Sender, Token
from tests.factories import make_connection, make_person, make_sender, make_token

pytestmark = pytest.mark.django_db

SENDER = {"name": "GitHub of the platform", "slug": "github-main", "kind": "github"}


@pytest.fixture
def engineer(client: Client) -> Any:
    person = make_person("pete", Role.PLATFORM_ENGINEER)
    client.force_login(person)
    return person


def make_events(sender: Sender, *states: str) -> None:
    for number, state in enumerate(states):
        Event.objects.create(
            sender=sender,
            source=sender.kind,
            delivery_id=f"{sender.slug}-{number}",
            body=b"{}",
            body_sha256="0" * 64,
            received_at=timezone.now() - timedelta(hours=1),
            state=state,
        )


def test_a_sender_is_made_with_a_secret_that_is_shown_once_and_kept_encrypted(
    client: Client, engineer: Any
) -> None:
    response = client.post("/integrations/senders/", SENDER)
    sender = Sender.objects.get()
    html = response.content.decode()
    assert sender.secret in html
    assert "/hooks/github-main" in html
    assert "no-store" in response["Cache-Control"]
    assert sender.secret not in client.get("/integrations/").content.decode()
    with connection.cursor() as cursor:
        cursor.execute("select secret from promotion_sender")
        assert sender.secret not in cursor.fetchone()[0]
    entry = AuditEntry.objects.get(action="sender.make")
    assert sender.secret not in entry.payload


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"slug": "not a slug"}, "Use letters"),
        ({"slug": ""}, "required"),
        ({"slug": "dotted.name"}, "Use letters"),
        ({"kind": "carrier-pigeon"}, "valid choice"),
        ({"name": ""}, "required"),
        ({"slug": "taken"}, "already"),
    ],
)
def test_a_sender_that_cannot_be_is_told_under_its_field_and_keeps_what_was_typed(
    client: Client, engineer: Any, changes: dict[str, str], words: str
) -> None:
    make_sender("taken")
    response = client.post("/integrations/senders/", SENDER | changes)
    html = response.content.decode()
    assert response.status_code == 400
    assert words in html
    assert 'aria-invalid="true"' in html
    assert Sender.objects.count() == 1


def test_a_new_secret_leaves_the_one_before_accepted_for_a_day(
    client: Client, engineer: Any
) -> None:
    sender = make_sender(secret="old-one")
    html = client.post(f"/integrations/senders/{sender.pk}/secret/").content.decode()
    sender.refresh_from_db()
    assert sender.secret != "old-one"
    assert sender.secret in html
    assert "old-one" not in html
    now = timezone.now()
    assert sender.secrets_at(now) == (sender.secret, "old-one")
    assert sender.secrets_at(now + timedelta(hours=25)) == (sender.secret,)
    again = client.post(f"/integrations/senders/{sender.pk}/secret/")
    assert again.status_code == 409
    assert AuditEntry.objects.filter(action="sender.rotate").count() == 1


def test_a_token_is_shown_once_and_stored_hashed(client: Client, engineer: Any) -> None:
    fields = {"name": "release script", "owner": "me", "scopes": ["read", "promote"]}
    response = client.post("/integrations/tokens/", fields)
    token = Token.objects.get()
    text = response.context["shown"]["secret"]
    assert Token.hash(text) == token.hashed
    assert (token.user, token.scopes) == (engineer, ["promote", "read"])
    assert text in response.content.decode()
    assert text not in client.get("/integrations/").content.decode()
    assert text not in AuditEntry.objects.get(action="token.make").payload


def test_a_machines_token_may_not_promote_or_approve(client: Client, engineer: Any) -> None:
    fields = {"name": "robot", "owner": "machine", "scopes": ["approve"]}
    response = client.post("/integrations/tokens/", fields)
    assert response.status_code == 400
    assert "is a person" in response.content.decode()
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"scopes": []}, {"scopes": ["everything"]}, {"expires_at": "2001-01-01T00:00"}]
)
def test_a_token_that_cannot_be_is_not_made(
    client: Client, engineer: Any, changes: dict[str, Any]
) -> None:
    fields = {"name": "x", "owner": "me", "scopes": ["read"]} | changes
    assert client.post("/integrations/tokens/", fields).status_code == 400
    assert not Token.objects.exists()


def test_a_revoked_token_is_no_longer_usable(client: Client, engineer: Any) -> None:
    token, _ = make_token("read", user=engineer)
    assert client.post(f"/integrations/tokens/{token.pk}/revoke/").status_code == 302
    assert not Token.objects.usable(timezone.now()).exists()
    assert client.post(f"/integrations/tokens/{token.pk}/revoke/").status_code == 409
    assert AuditEntry.objects.get(action="token.revoke").actor == engineer


def test_who_may_not_configure_sees_no_forms_and_changes_nothing(client: Client) -> None:
    sender = make_sender(secret="old-one")
    mine = make_person("mara", Role.MEMBER, Role.RELEASE_MANAGER)
    make_token("read", user=make_person("pete"))
    make_token("read", user=mine)
    client.force_login(mine)
    response = client.get("/integrations/")
    assert "Add a sender" not in response.content.decode()
    assert [token.user for token, _ in response.context["tokens"]] == [mine]
    assert client.post("/integrations/senders/", SENDER).status_code == 403
    assert client.post(f"/integrations/senders/{sender.pk}/secret/").status_code == 403
    fields = {"name": "x", "owner": "me", "scopes": ["read"]}
    assert client.post("/integrations/tokens/", fields).status_code == 403
    other = Token.objects.exclude(user=mine).get()
    assert client.post(f"/integrations/tokens/{other.pk}/revoke/").status_code == 403
    sender.refresh_from_db()
    assert (Sender.objects.count(), sender.secret) == (1, "old-one")


def test_the_share_of_unreadable_deliveries_of_the_day_is_shown(
    client: Client, engineer: Any
) -> None:
    make_events(make_sender(), "recorded", "unreadable", "unmapped")
    html = client.get("/integrations/").content.decode()
    assert "1 of 3" in html
    assert "1 unplaced" in html
    assert "something of Github could not be read" in html


def test_connections_are_shown_without_their_secrets(client: Client, engineer: Any) -> None:
    make_connection(
        "main", "oci-registry", "https://robot:hunter2@registry.example/x", secret="s3c"
    )
    html = client.get("/integrations/").content.decode()
    assert "https://registry.example/x" in html
    assert "hunter2" not in html
    assert "s3c" not in html


def test_unknown_senders_and_tokens_are_not_found(client: Client, engineer: Any) -> None:
    assert client.post("/integrations/senders/0/secret/").status_code == 404
    assert client.post("/integrations/tokens/0/revoke/").status_code == 404
    assert client.get("/integrations/senders/").status_code == 405


def test_the_pages_queries_do_not_grow_with_senders_and_events(
    client: Client, engineer: Any, django_assert_num_queries: Any
) -> None:
    make_events(make_sender("a"), "recorded")
    client.get("/integrations/")
    with CaptureQueriesContext(connection) as few:
        client.get("/integrations/")
    for name in "bcdefg":
        make_events(make_sender(name), "recorded", "nothing")
        make_token("read", user=engineer)
    with django_assert_num_queries(len(few)):
        client.get("/integrations/")
