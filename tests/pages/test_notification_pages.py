"""The pages of notifications: the bell, the list, the choices, the channels."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from promotion.actions.read_notices import choices_of
from promotion.actions.tell import News, tell
from promotion.models import (
    AuditEntry,
    NoticeKind,
    Notification,
    NotificationChannel,
    NotificationDelivery,
    Role,
)
from tests.factories import NOW, make_person, make_service, make_team
from tests.parts.recording_server import Answer, run_recording_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines(client: Client) -> Any:
    person = make_person("ines", Role.RELEASE_MANAGER)
    client.force_login(person)
    return person


def news(number: int, kind: NoticeKind = NoticeKind.FAILED) -> News:
    return News(kind, f"key {number}", f"P-{number} failed.", f"/promotions/{number}/")


def tell_many(person: Any, first: int, last: int) -> None:
    for number in range(first, last):
        tell([person], news(number), at=NOW + timedelta(minutes=number))


def html_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_the_bell_counts_what_is_unread_on_every_page(client: Client, ines: Any) -> None:
    assert 'aria-label="Notifications"' in html_of(client, "/inbox/")
    tell_many(ines, 0, 3)
    assert 'aria-label="Notifications, 3 unread"' in html_of(client, "/inbox/")
    tell_many(ines, 3, 120)
    assert "more than 99 unread" in html_of(client, "/inbox/")


def test_looking_marks_nothing_as_read_and_a_post_marks_one_and_opens_its_page(
    client: Client, ines: Any
) -> None:
    tell_many(ines, 0, 2)
    html_of(client, "/notifications/")
    assert Notification.objects.unread().count() == 2
    one = Notification.objects.first()
    assert one is not None
    response = client.post(f"/notifications/{one.pk}/read/", {"then": "open"})
    assert response.headers["Location"] == one.link
    assert Notification.objects.unread().count() == 1
    assert client.get(f"/notifications/{one.pk}/read/").status_code == 405


def test_the_unread_are_filtered_and_all_are_marked_at_once(client: Client, ines: Any) -> None:
    tell_many(ines, 0, 3)
    first = Notification.objects.get(key="key 0")
    client.post(f"/notifications/{first.pk}/read/")
    assert "P-0 failed." not in html_of(client, "/notifications/?view=unread")
    assert "P-0 failed." in html_of(client, "/notifications/")
    client.post("/notifications/read/")
    assert "You have read everything." in html_of(client, "/notifications/")


def test_another_persons_notification_is_not_found(client: Client, ines: Any) -> None:
    ruth = make_person("ruth")
    tell_many(ruth, 0, 1)
    pk = Notification.objects.get().pk
    assert client.post(f"/notifications/{pk}/read/").status_code == 404
    assert Notification.objects.unread().count() == 1
    assert "P-0 failed." not in html_of(client, "/notifications/")


def test_the_list_costs_the_same_however_long_it_is(client: Client, ines: Any) -> None:
    tell_many(ines, 0, 2)
    html_of(client, "/notifications/")
    with CaptureQueriesContext(connection) as few:
        html_of(client, "/notifications/")
    tell_many(ines, 2, 60)
    with CaptureQueriesContext(connection) as many:
        html = html_of(client, "/notifications/")
    assert len(many) == len(few) <= 10
    assert "cursor=" in html


def test_choices_are_kept_and_go_on_record(client: Client, ines: Any, settings: Any) -> None:
    settings.MAIL_IS_SET_UP = True
    assert "Mail goes to ines@meridian.example" in html_of(client, "/notifications/choices/")
    client.post("/notifications/choices/", {"app-waiting": "on", "mail-failed": "on"})
    chosen = choices_of(ines)
    assert chosen[NoticeKind.WAITING] == (True, False)
    assert chosen[NoticeKind.FAILED] == (False, True)
    assert chosen[NoticeKind.STUCK] == (False, False)
    assert AuditEntry.objects.filter(action="notifications.choose").exists()


def test_without_a_mail_server_the_page_says_so_and_keeps_the_choices_of_mail(
    client: Client, ines: Any, settings: Any
) -> None:
    settings.MAIL_IS_SET_UP = False
    assert "No mail server is set up here" in html_of(client, "/notifications/choices/")
    before = choices_of(ines)[NoticeKind.WAITING]
    client.post("/notifications/choices/", {"app-waiting": "on"})
    assert choices_of(ines)[NoticeKind.WAITING] == before


CHANNEL = {"name": "#releases", "form": "webhook", "kinds": ["waiting", "failed"]}


def test_a_channel_is_added_its_secret_shown_once_and_its_test_really_sent(
    client: Client, settings: Any
) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    client.force_login(make_person("pete", Role.PLATFORM_ENGINEER))
    with run_recording_server(lambda asked: Answer(202)) as server:
        response = client.post(
            "/notifications/channels/add/", {**CHANNEL, "address": server.base_url}
        )
        channel = NotificationChannel.objects.get()
        assert channel.secret in response.content.decode()
        address = f"/notifications/channels/{channel.pk}/"
        assert channel.secret not in html_of(client, address)
        assert server.base_url not in html_of(client, address)
        told = client.post(f"{address}test/", follow=True).content.decode()
        assert "it was answered with 202" in told
        assert len(server.asked) == 1
        before = channel.secret
        assert before not in client.post(f"{address}secret/").content.decode()
        client.post(f"{address}turn/", {"to": "off"})
        channel.refresh_from_db()
        assert channel.secret != before
        assert not channel.is_active


def test_a_test_that_is_refused_says_why(client: Client, settings: Any) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = []
    client.force_login(make_person("pete", Role.PLATFORM_ENGINEER))
    client.post("/notifications/channels/add/", {**CHANNEL, "address": "http://127.0.0.1:9/"})
    pk = NotificationChannel.objects.get().pk
    response = client.post(f"/notifications/channels/{pk}/test/")
    assert response.status_code == 400
    assert "not a public address" in response.content.decode()


def test_who_may_not_add_channels_sees_no_form_and_is_refused(client: Client) -> None:
    client.force_login(make_person("vera", Role.VIEWER))
    assert "Add a channel" not in html_of(client, "/notifications/channels/")
    response = client.post(
        "/notifications/channels/add/", {**CHANNEL, "address": "https://example.org/"}
    )
    assert response.status_code in (400, 403)
    assert not NotificationChannel.objects.exists()


def test_a_manager_sees_the_channels_of_their_team_alone(client: Client) -> None:
    pete, shipping = make_person("pete", Role.PLATFORM_ENGINEER), make_team("shipping")
    for name, team in (("for all", None), ("ours", shipping), ("theirs", make_team("billing"))):
        NotificationChannel.objects.create(
            name=name, form="slack", address="https://example.org/", team=team, kinds=["failed"],
            created_by=pete, created_at=NOW,
        )  # fmt: skip
    client.force_login(make_person("mia", Role.RELEASE_MANAGER, team=shipping))
    html = html_of(client, "/notifications/channels/")
    assert "ours" in html
    assert "theirs" not in html
    others = NotificationChannel.objects.get(name="theirs")
    assert client.get(f"/notifications/channels/{others.pk}/").status_code == 403
    assert client.post(f"/notifications/channels/{others.pk}/test/").status_code == 403
    assert client.get("/notifications/channels/999/").status_code == 404


def test_the_list_of_channels_costs_the_same_however_many(client: Client) -> None:
    pete = make_person("pete", Role.PLATFORM_ENGINEER)
    client.force_login(pete)

    def make(number: int) -> None:
        channel = NotificationChannel.objects.create(
            name=f"channel {number}", form="slack", address="https://example.org/",
            kinds=["failed"], created_by=pete, created_at=NOW, team=make_team(f"team-{number}"),
        )  # fmt: skip
        channel.services.add(make_service(f"service-{number}"))
        NotificationDelivery.objects.create(
            channel=channel, kind="failed", key="k", sentence="It failed.", link="/",
            created_at=NOW, next_try_at=NOW, last_error="It did not answer.",
        )  # fmt: skip

    make(1)
    html_of(client, "/notifications/channels/")
    with CaptureQueriesContext(connection) as few:
        html_of(client, "/notifications/channels/")
    for number in range(2, 8):
        make(number)
    with CaptureQueriesContext(connection) as many:
        assert "trying again" in html_of(client, "/notifications/channels/")
    assert len(many) == len(few)


@pytest.mark.parametrize("field", ["team", "services", "environments", "kinds", "form"])
def test_bad_input_is_no_500(client: Client, field: str) -> None:
    client.force_login(make_person("pete", Role.PLATFORM_ENGINEER))
    sent = {**CHANNEL, "address": "https://example.org/", field: "no such\x00thing"}
    assert client.post("/notifications/channels/add/", sent).status_code == 400
