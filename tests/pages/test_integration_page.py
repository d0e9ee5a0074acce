"""The page of integrations: senders, tokens, connections."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from promotion import tasks
from promotion.actions.process_event import process_event
from promotion.formats import format_span
from promotion.models import AuditEntry, Event, Mapping, Role, Sender, Service, Token
from promotion.sources.known import SOURCES
from promotion.sources.setup import setup_of
from tests.factories import (
    make_connection,
    make_environment,
    make_person,
    make_sender,
    make_service,
    make_team,
    make_token,
)

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


def make_unmatched(sender: Sender, repository: str, count: int = 1) -> None:
    fact = {"kind": "deployment", "repository": repository, "environment": "production"}
    place = {"service": None, "environment": None, "deploys_to": None, "is_ignored": False}
    for number in range(count):
        Event.objects.create(
            sender=sender,
            source=sender.kind,
            delivery_id=f"{repository}-{number}",
            body=b"{}",
            body_sha256="0" * 64,
            received_at=timezone.now() - timedelta(minutes=number),
            state=Event.State.UNMAPPED,
            lacks="service",
            speaks_of=repository,
            outcome=[{"kind": "deployment", "became": "nothing", "fact": fact, "place": place}],
        )


def test_the_tool_is_chosen_first_by_its_name_then_its_address_is_proposed(
    client: Client, engineer: Any
) -> None:
    assert "Step 1 of 3" in client.get("/integrations/new/").content.decode()
    found = client.get("/integrations/new/?q=argo").context["kinds"]
    assert found == [("Argo CD", "argocd")]
    assert "No tool of that name" in client.get("/integrations/new/?q=zzz").content.decode()
    make_sender("argocd", "argocd")
    form = client.get("/integrations/new/?kind=argocd").context["form"]
    assert form.initial == {"kind": "argocd", "name": "Argo CD", "slug": "argocd-2"}


@pytest.mark.parametrize("slug", ["new", "rules", "Senders"])
def test_an_address_that_is_a_page_of_ours_is_refused(
    client: Client, engineer: Any, slug: str
) -> None:
    response = client.post("/integrations/senders/", SENDER | {"slug": slug})
    assert response.status_code == 400
    assert "taken by a page" in response.content.decode()


def test_a_new_sender_shows_what_to_set_with_its_address_and_secret_filled_in(
    client: Client, engineer: Any
) -> None:
    fields = {"name": "Alerts", "slug": "alerts", "kind": "alertmanager"}
    html = client.post("/integrations/senders/", fields).content.decode()
    secret = Sender.objects.get().secret
    assert f"credentials: &quot;{secret}&quot;" in html
    assert "/hooks/alerts" in html
    later = client.get("/integrations/alerts/").content.decode()
    assert secret not in later
    assert "&lt;the secret&gt;" in later


@pytest.mark.parametrize("kind", SOURCES)
def test_every_tool_has_steps_and_no_gap_left_to_fill(kind: str) -> None:
    setup = setup_of(SOURCES[kind], address="https://x.example/hooks/a", secret="s3cret")
    assert len(setup.steps) >= 2
    assert all(step.endswith((".", ":")) for step in setup.steps)
    assert "{address}" not in setup.template
    assert "{secret}" not in setup.template


@pytest.mark.parametrize("kind", SOURCES)
def test_a_test_is_signed_in_the_tools_way_accepted_and_becomes_nothing(
    client: Client,
    engineer: Any,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_sender("tool", kind, secret="quite-a-long-secret")
    hints: list[int] = []
    monkeypatch.setattr(tasks.process, "delay_on_commit", hints.append)
    assert client.post("/integrations/tool/test/").status_code == 302
    event = Event.objects.get()
    assert hints == [event.pk]
    process_event(event.pk, at=timezone.now())
    event.refresh_from_db()
    assert event.state == Event.State.NOTHING
    assert event.summary.startswith("A test from the page of its sender")
    assert "quite-a-long-secret" not in str(event.headers)
    client.post("/integrations/tool/test/")
    assert Event.objects.count() == 2


def test_a_refused_delivery_is_counted_with_its_reason_and_nothing_of_it_is_kept(
    client: Client, engineer: Any
) -> None:
    sender = make_sender("github", "github", secret="right")
    for _ in range(2):
        answer = client.post(
            "/hooks/github",
            b"{}",
            content_type="application/json",
            headers={"X-Hub-Signature-256": "sha256=00", "X-GitHub-Event": "push"},
        )
        assert answer.status_code == 401
    sender.refresh_from_db()
    assert sender.refused_count == 2
    assert not Event.objects.exists()
    line = client.get("/integrations/github/last/").content.decode()
    assert "refused. The signature in X-Hub-Signature-256 does not fit" in line
    assert "2 refused so far" in line
    assert "refused" in client.get("/integrations/").content.decode()


def test_an_accepted_delivery_after_a_refused_one_is_the_last(
    client: Client, engineer: Any
) -> None:
    sender = make_sender()
    Sender.objects.filter(pk=sender.pk).update(
        refused_count=1, refused_at=timezone.now() - timedelta(hours=2), refused_reason="No."
    )
    make_events(sender, "recorded")
    line = client.get("/integrations/github/last/").content.decode()
    assert "accepted as" in line
    assert "1 refused so far" in line


def test_a_sender_that_is_off_takes_nothing_in_and_cannot_be_tested(
    client: Client, engineer: Any
) -> None:
    make_sender("tool", "generic")
    assert client.post("/integrations/tool/turn/", {"to": "off"}).status_code == 302
    assert client.post("/hooks/tool", b"{}", content_type="application/json").status_code == 404
    assert client.post("/integrations/tool/test/").status_code == 409
    assert client.post("/integrations/tool/turn/", {"to": "off"}).status_code == 409
    assert client.post("/integrations/tool/turn/", {"to": "on"}).status_code == 302
    assert Sender.objects.get().is_active
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"sender.off", "sender.on"}


def test_a_secret_that_the_tool_made_is_taken_over_and_never_shown(
    client: Client, engineer: Any
) -> None:
    make_sender("tool", "buildkite", secret="made-by-ourselves")
    short = client.post("/integrations/tool/own-secret/", {"given": "short"})
    assert short.status_code == 400
    assert "12 to 500 characters" in short.content.decode()
    given = {"given": "made-by-the-tool-itself"}
    assert client.post("/integrations/tool/own-secret/", given).status_code == 302
    sender = Sender.objects.get()
    assert sender.secrets_at(timezone.now()) == ("made-by-the-tool-itself", "made-by-ourselves")
    assert "made-by-the-tool" not in client.get("/integrations/tool/").content.decode()
    assert "made-by-the-tool" not in AuditEntry.objects.get().payload


def test_an_unusual_silence_is_said_on_both_pages(client: Client, engineer: Any) -> None:
    sender = make_sender()
    for number in range(30):
        Event.objects.create(
            sender=sender,
            source="github",
            delivery_id=str(number),
            body_sha256="0" * 64,
            body=b"",
            received_at=timezone.now() - timedelta(hours=5, minutes=number),
            state="recorded",
        )
    assert "Github is unusually silent" in client.get("/integrations/").content.decode()
    html = client.get("/integrations/github/").content.decode()
    assert "Unusually silent" in html
    assert f"Silent for {format_span(timedelta(hours=5))}" in html


def test_events_that_match_nothing_are_offered_in_groups_with_three_ways_out(
    client: Client, engineer: Any
) -> None:
    make_unmatched(make_sender(), "acme/shop", 14)
    for page in ("/events/", "/integrations/", "/integrations/github/"):
        html = client.get(page).content.decode()
        assert "14 events from acme/shop match no service" in html
        assert "/integrations/services/new/?slug=shop&amp;repository=acme%2Fshop" in html
        assert "/integrations/rules/new/?repository_pattern=acme%2Fshop" in html
        assert 'name="repository_pattern" value="acme/shop"' in html
    listed = client.get("/events/?lacks=service&speaks_of=acme/shop")
    assert len(listed.context["events"]) == 14


def test_who_may_not_map_sees_the_groups_without_the_ways_out(client: Client) -> None:
    make_unmatched(make_sender(), "acme/shop")
    client.force_login(make_person("mara", Role.MEMBER))
    html = client.get("/events/").content.decode()
    assert "1 event from acme/shop matches no service" in html
    assert "/integrations/services/new/" not in html
    assert client.post("/integrations/rules/ignore/", {"job_pattern": "x"}).status_code == 403
    fields = {"slug": "x", "team": make_team().slug}
    assert client.post("/integrations/services/new/", fields).status_code == 403
    make_sender("other")
    assert client.post("/integrations/other/test/").status_code == 403
    assert client.post("/integrations/other/turn/", {"to": "off"}).status_code == 403
    assert not Mapping.objects.exists()


@pytest.fixture
def placed_again(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    asked: list[int] = []
    monkeypatch.setattr(tasks.place_again, "delay_on_commit", asked.append)
    return asked


def test_a_rule_is_tried_then_saved_then_deleted(
    client: Client, engineer: Any, placed_again: list[int]
) -> None:
    make_unmatched(make_sender(), "acme/shop", 3)
    make_service("shop", repository="")
    make_environment("production")
    fields = {"repository_pattern": "acme/*", "service": "shop", "priority": "10"}
    html = client.post("/integrations/rules/new/", fields | {"act": "try"}).content.decode()
    assert "3 of the last 3 events match" in html
    assert "shop in production" in html
    assert not Mapping.objects.exists()
    assert placed_again == []
    assert client.post("/integrations/rules/new/", fields | {"act": "save"}).status_code == 302
    rule = Mapping.objects.get()
    assert (rule.created_by, rule.priority, rule.service.slug) == (engineer, 10, "shop")
    shown = client.get(f"/integrations/rules/{rule.pk}/").context["form"].initial
    assert (shown["repository_pattern"], shown["service"]) == ("acme/*", "shop")
    changed = fields | {"repository_pattern": "acme/shop", "act": "save"}
    assert client.post(f"/integrations/rules/{rule.pk}/", changed).status_code == 302
    assert "acme/shop" in client.get("/integrations/").content.decode()
    assert client.post(f"/integrations/rules/{rule.pk}/delete/").status_code == 302
    assert client.post(f"/integrations/rules/{rule.pk}/delete/").status_code == 404
    assert placed_again == [engineer.pk] * 3


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"service": "none-such"}, "valid choice"),
        ({"repository_pattern": "a"}, "choose one"),
        ({"repository_pattern": "a" * 301}, "at most 300"),
        ({"priority": "-1"}, "greater than or equal"),
        (
            {"repository_pattern": "a", "is_deployment": "on", "service": "shop"},
            "which environment",
        ),
    ],
)
def test_a_rule_that_cannot_be_is_told_under_its_field(
    client: Client, engineer: Any, fields: dict[str, str], words: str
) -> None:
    make_service("shop")
    for act in ("try", "save"):
        response = client.post("/integrations/rules/new/", {"priority": "100", "act": act} | fields)
        assert response.status_code == 400
        assert words in response.content.decode()
    assert not Mapping.objects.exists()


def test_a_group_is_ignored_by_a_rule(
    client: Client, engineer: Any, placed_again: list[int]
) -> None:
    fields = {"repository_pattern": "acme/shop"}
    assert client.post("/integrations/rules/ignore/", fields).status_code == 302
    assert Mapping.objects.get().is_ignored
    assert placed_again == [engineer.pk]
    assert client.post("/integrations/rules/ignore/", {}).status_code == 400


def test_a_service_is_made_from_the_page(
    client: Client, engineer: Any, placed_again: list[int]
) -> None:
    team = make_team()
    page = client.get("/integrations/services/new/?slug=shop&repository=acme/shop")
    assert 'value="acme/shop"' in page.content.decode()
    fields = {"slug": "shop", "team": team.slug, "repository": "acme/shop"}
    assert client.post("/integrations/services/new/", fields).status_code == 302
    assert Service.objects.get().repository == "acme/shop"
    again = client.post("/integrations/services/new/", fields)
    assert again.status_code == 400
    assert "already" in again.content.decode()
    assert placed_again == [engineer.pk]


def test_the_senders_pages_queries_do_not_grow_with_events_rules_and_groups(
    client: Client, engineer: Any, django_assert_num_queries: Any
) -> None:
    sender, service = make_sender(), make_service("shop")
    make_unmatched(sender, "acme/a")
    Mapping.objects.create(
        sender=sender, repository_pattern="x", service=service, created_at=timezone.now()
    )
    pages = ("/integrations/", "/integrations/github/", "/events/")
    counts = {}
    for page in pages:
        client.get(page)
        with CaptureQueriesContext(connection) as few:
            client.get(page)
        counts[page] = len(few)
    make_events(sender, *["recorded"] * 30)
    for number in range(5):
        make_unmatched(sender, f"acme/b{number}", 3)
        Mapping.objects.create(
            repository_pattern=f"x{number}",
            service=make_service(f"s{number}"),
            created_at=timezone.now(),
        )
    for page in pages:
        with django_assert_num_queries(counts[page]):
            client.get(page)


def test_unknown_senders_and_rules_are_not_found(client: Client, engineer: Any) -> None:
    for page in ("/integrations/none-such/", "/integrations/rules/0/"):
        assert client.get(page).status_code == 404
    assert client.post("/integrations/none-such/test/").status_code == 404


def test_the_tools_own_signature_is_believed_from_then_on_and_the_secret_is_not(
    client: Client, engineer: Any
) -> None:
    make_sender("google", "google")
    page = client.get("/integrations/google/").content.decode()
    assert "Service account of the push subscription" in page
    account = "push@acme.iam.gserviceaccount.com"
    client.post("/integrations/google/signature/", {"signed_by": f" {account} "})
    assert Sender.objects.get().signed_by == account
    assert AuditEntry.objects.get().details["after"] == account
    page = client.get("/integrations/google/").content.decode()
    assert f"own signature, of {account}" in page
    assert "/integrations/google/test/" not in page
    refused = client.post("/hooks/google?secret=whsec-test", b"{}", content_type="application/json")
    assert refused.status_code == 401
    assert client.post("/integrations/google/test/").status_code == 400
    assert Sender.objects.get().refused_count == 1
    client.post("/integrations/google/signature/", {"signed_by": ""})
    assert Sender.objects.get().signed_by == ""
    taken = client.post("/hooks/google?secret=whsec-test", b"{}", content_type="application/json")
    assert taken.status_code == 202


@pytest.mark.parametrize(
    ("kind", "said"),
    [("google", "somebody"), ("aws", "arn:aws:sqs:x"), ("travis", "a b"), ("google", "\x00@a.b")],
)
def test_what_can_be_nobodys_signature_is_refused(
    client: Client, engineer: Any, kind: str, said: str
) -> None:
    make_sender(kind, kind)
    answer = client.post(f"/integrations/{kind}/signature/", {"signed_by": said})
    assert answer.status_code == 400
    assert Sender.objects.get().signed_by == ""


def test_only_who_may_configure_says_whose_signature_is_believed(client: Client) -> None:
    client.force_login(make_person("mia", Role.MEMBER))
    make_sender("google", "google")
    make_sender("github", "github")
    said = {"signed_by": "a@b.example"}
    assert client.post("/integrations/google/signature/", said).status_code == 403
    assert client.post("/integrations/github/signature/", said).status_code == 404
    assert not Sender.objects.exclude(signed_by="").exists()


def test_a_rule_is_switched_off_and_on_again_on_its_page(
    client: Client, engineer: Any, placed_again: list[int]
) -> None:
    make_unmatched(make_sender(), "acme/shop", 3)
    make_service("shop", repository="")
    make_environment("production")
    fields = {"repository_pattern": "acme/*", "service": "shop", "priority": "10", "act": "save"}
    client.post("/integrations/rules/new/", fields)
    rule = Mapping.objects.get()
    off = fields | {"is_off": "on"}
    tried = client.post(f"/integrations/rules/{rule.pk}/", off | {"act": "try"}).content.decode()
    assert "would be processed again" in tried
    assert "no service" in tried
    page = client.post(f"/integrations/rules/{rule.pk}/", off, follow=True).content.decode()
    assert "is saved and switched off" in page
    rule.refresh_from_db()
    assert not rule.is_active
    assert "checked" in client.get(f"/integrations/rules/{rule.pk}/").content.decode()
    assert AuditEntry.objects.latest("pk").details["rule"]["is_active"] is False
    client.post(f"/integrations/rules/{rule.pk}/", fields)
    rule.refresh_from_db()
    assert rule.is_active
    assert placed_again == [engineer.pk] * 3
