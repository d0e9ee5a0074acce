"""The outbox: to a real mail server and real HTTP servers, at least once and under one key."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from promotion import tasks
from promotion.actions.channels import (
    NewChannel,
    make_channel,
    rotate_channel,
    try_channel,
    turn_channel,
)
from promotion.actions.finish import finish_promotion
from promotion.actions.send_notice import BACK_OFF, due_deliveries, send_notice
from promotion.exceptions import ConflictError, InputError, NotAllowedError, ThroughlineError
from promotion.models import (
    AuditEntry,
    NoticeKind,
    NotificationChannel,
    NotificationDelivery,
    Role,
)
from promotion.rules.states import State
from tests.factories import make_environment, make_person, make_service, make_team
from tests.parts.promotion_story import HOUR, NOW
from tests.parts.recording_server import Answer, run_recording_server
from tests.parts.registry import find_free_port

pytestmark = pytest.mark.django_db


def send_due(at=NOW):
    """As the sweep has it done; returns how many arrived."""
    return sum(send_notice(number, at=at) for number in due_deliveries(at=at))


def make(story, address, form="webhook", person=None, at=NOW, **fields):
    person = person or make_person("pete", Role.PLATFORM_ENGINEER)
    wanted = {"kinds": [NoticeKind.WAITING, NoticeKind.FAILED], "name": f"channel {form}", **fields}
    return make_channel(NewChannel(form=form, address=address, **wanted), person=person, at=at)


@pytest.fixture
def far():
    """A server whose answer a test may change."""
    answers = {"now": Answer(200, body=b"ok")}
    with run_recording_server(lambda asked: answers["now"]) as server:
        yield server, answers


def test_a_mail_says_what_is_decided_and_links_to_the_page(story, mail):
    promotion = story.ask()
    assert send_due() == 3
    one = next(one for one in mail.mails if one["To"] == story.ines.email)
    assert one["Subject"] == (
        f"{promotion.number} (shipment-api 4.18.0 to Production) waits for your approval."
    )
    assert one["From"] == "Throughline <throughline@meridian.example>"
    text = one.get_content()
    assert f"https://throughline.meridian.example/promotions/{promotion.pk}/" in text
    assert "https://throughline.meridian.example/notifications/choices/" in text
    assert one.get_content_type() == "text/plain"
    assert send_due() == 0


def test_a_mail_repeated_after_a_kill_has_the_same_message_id(story, mail):
    story.ask()
    number = NotificationDelivery.objects.get(person=story.ines).pk
    send_notice(number, at=NOW)
    # Killed after sending and before recording: the claim stands, nothing is recorded.
    NotificationDelivery.objects.filter(pk=number).update(done_at=None)
    assert number not in due_deliveries(at=NOW + timedelta(seconds=60))
    send_notice(number, at=NOW + timedelta(seconds=121))
    first, second = mail.mails
    assert first["Message-ID"] == second["Message-ID"]


def test_a_refused_mail_is_tried_again_later_and_holds_up_no_other(story, mail):
    story.ask()
    mail.refuses.add(story.ines.email)
    assert send_due() == 2
    left = NotificationDelivery.objects.get(person=story.ines)
    assert "There is nobody of that name" in left.last_error
    mail.refuses.clear()
    assert send_due(NOW + BACK_OFF[0]) == 1


def test_a_mail_server_that_is_away_costs_nothing_but_time(story, settings):
    settings.MAIL_IS_SET_UP = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", find_free_port()
    story.ask()
    assert send_due() == 0
    tried = NotificationDelivery.objects.filter(attempts=1)
    assert tried.count() == 1, "the others wait instead of trying one by one"
    assert "did not answer" in tried.get().last_error


def test_who_left_gets_no_mail_that_was_still_on_its_way(story, mail):
    story.ask()
    story.ines.is_active = False
    story.ines.save()
    assert send_due() == 2


def test_a_signed_webhook_is_verified_by_the_standard_library_of_standard_webhooks(story, far):
    server, _ = far
    at = datetime.now(UTC)
    made = make(story, f"{server.base_url}/hook", at=at)
    promotion = story.ask(at=NOW - 2 * HOUR)
    assert send_due(at) == 1
    asked = server.asked[0]
    said = Webhook(made.secret).verify(asked.body, asked.headers)
    assert said["type"] == "throughline.waiting"
    assert said["data"]["promotion"] == promotion.number
    assert said["data"]["service"] == "shipment-api"
    assert said["data"]["url"].endswith(f"/promotions/{promotion.pk}/")
    with pytest.raises(WebhookVerificationError):
        Webhook(made.secret).verify(asked.body + b" ", asked.headers)


def test_after_a_new_secret_both_verify_for_a_day_and_then_only_the_new_one(story, far):
    server, _ = far
    at = datetime.now(UTC)
    made = make(story, server.base_url, at=at)
    person = made.channel.created_by
    new = rotate_channel(made.channel.pk, person=person, at=at - timedelta(hours=23))
    try_channel(made.channel.pk, person=person, at=at)
    for secret in (made.secret, new.secret):
        Webhook(secret).verify(server.asked[0].body, server.asked[0].headers)
    NotificationChannel.objects.update(previous_secret_until=at)
    try_channel(made.channel.pk, person=person, at=at)
    Webhook(new.secret).verify(server.asked[1].body, server.asked[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made.secret).verify(server.asked[1].body, server.asked[1].headers)


def test_a_second_new_secret_within_a_day_is_refused(story, far):
    made = make(story, far[0].base_url)
    person = made.channel.created_by
    rotate_channel(made.channel.pk, person=person, at=NOW)
    with pytest.raises(ConflictError):
        rotate_channel(made.channel.pk, person=person, at=NOW + HOUR)


def test_a_chat_gets_text_with_a_link_and_no_signature(story, far):
    server, _ = far
    make(story, server.base_url, form="slack")
    promotion = story.ask()
    story.start(promotion)
    finish_promotion(promotion, State.FAILED, reason="<b>500 & more</b>", at=NOW)
    assert send_due() == 2
    said = json.loads(server.asked[-1].body)
    assert set(said) == {"text"}
    assert f"/promotions/{promotion.pk}/|Open>" in said["text"]
    assert "&lt;b&gt;500 &amp; more&lt;/b&gt;" in said["text"]
    assert "webhook-signature" not in server.asked[-1].headers


def test_a_failure_is_tried_again_ever_later_under_the_same_key_and_then_given_up(story, far):
    server, answers = far
    made = make(story, server.base_url)
    answers["now"] = Answer(503)
    story.ask()
    at = NOW
    for wait in BACK_OFF:
        assert send_due(at) == 0
        assert not due_deliveries(at=at + wait - timedelta(seconds=1))
        at += wait
    send_due(at)
    delivery = NotificationDelivery.objects.get(channel=made.channel)
    assert delivery.given_up_at == at
    assert delivery.attempts == len(BACK_OFF) + 1 == len(server.asked)
    assert "answered 503" in delivery.last_error
    keys = {(one.headers["webhook-id"], one.headers["idempotency-key"]) for one in server.asked}
    assert len(keys) == 1
    assert not due_deliveries(at=at + timedelta(days=9))


def test_what_failed_arrives_when_the_far_side_is_back(story, far):
    server, answers = far
    make(story, server.base_url)
    answers["now"] = Answer(500)
    story.ask()
    send_due()
    answers["now"] = Answer(204)
    assert send_due(NOW + BACK_OFF[0]) == 1
    assert NotificationDelivery.objects.get().last_error == ""


def test_a_far_side_that_is_down_is_called_once_and_not_for_every_message(story, far):
    server, answers = far
    made = make(story, server.base_url)
    answers["now"] = Answer(503)
    for number in range(10):
        NotificationDelivery.objects.create(
            channel=made.channel, kind="failed", key=str(number), sentence="It failed.", link="/",
            created_at=NOW, next_try_at=NOW,
        )  # fmt: skip
    send_due()
    assert len(server.asked) == 1


def test_a_worker_killed_between_sending_and_recording_sends_again_under_the_same_key(story, far):
    server, _ = far
    make(story, server.base_url)
    story.ask()
    number = NotificationDelivery.objects.get().pk
    send_notice(number, at=NOW)
    NotificationDelivery.objects.update(done_at=None)  # it was killed before it recorded
    assert send_due(NOW + timedelta(minutes=3)) == 1
    assert len({one.headers["webhook-id"] for one in server.asked}) == 1
    assert len(server.asked) == 2


def test_a_message_that_ends_its_worker_every_time_is_given_up(story, far):
    server, _ = far
    make(story, server.base_url)
    story.ask()
    tries = len(BACK_OFF) + 1
    NotificationDelivery.objects.update(attempts=tries)  # each one claimed, and none recorded
    assert send_due(NOW) == 0
    delivery = NotificationDelivery.objects.get()
    assert (delivery.given_up_at, delivery.attempts, len(server.asked)) == (NOW, tries, 0)


def test_of_two_workers_one_sends(story, far):
    server, _ = far
    make(story, server.base_url)
    story.ask()
    number = NotificationDelivery.objects.get().pk
    assert [send_notice(number, at=NOW), send_notice(number, at=NOW)] == [True, False]
    assert len(server.asked) == 1


def test_a_channel_is_told_once_however_often_the_promotion_is_looked_at(story, far):
    make(story, far[0].base_url)
    promotion = story.ask()
    for minute in range(3):
        story.look(promotion, NOW + timedelta(minutes=minute))
    assert NotificationDelivery.objects.count() == 1


def test_private_addresses_are_not_called(story, outside_only):
    with run_recording_server(lambda asked: Answer()) as server:
        make(story, server.base_url)
        story.ask()
        assert send_due() == 0
        assert not server.asked
    assert "not a public address" in NotificationDelivery.objects.get().last_error


def test_a_channel_hears_only_of_its_kinds_team_services_and_environments(story, far):
    url = far[0].base_url
    billing = make_team("billing")
    make(story, url, name="other kinds", kinds=[NoticeKind.STUCK])
    make(story, url, name="other team", team=billing)
    make(story, url, name="other service", services=[make_service("invoices", team=billing)])
    make(story, url, name="other place", environments=[make_environment("qa")])
    make(story, url, name="ours", team=story.service.team, services=[story.service],
         environments=[story.production])  # fmt: skip
    story.ask()
    assert [one.channel.name for one in NotificationDelivery.objects.all()] == ["ours"]


def test_the_channel_of_a_team_hears_of_the_teams_below_it(story, far):
    above = make_team("logistics")
    story.service.team.parent = above
    story.service.team.save()
    make(story, far[0].base_url, team=above)
    story.ask()
    assert NotificationDelivery.objects.count() == 1


def test_what_is_on_its_way_to_a_channel_turned_off_is_not_sent(story, far):
    made = make(story, far[0].base_url)
    story.ask()
    turn_channel(made.channel.pk, False, person=made.channel.created_by, at=NOW)
    assert send_due() == 0
    assert not far[0].asked


def test_a_test_really_calls_and_tells_the_answer(story, far):
    server, answers = far
    made = make(story, server.base_url)
    person = made.channel.created_by
    assert try_channel(made.channel.pk, person=person, at=NOW) == 200
    answers["now"] = Answer(404, body=b"no_service")
    with pytest.raises(ThroughlineError, match="404: no_service"):
        try_channel(made.channel.pk, person=person, at=NOW)
    assert AuditEntry.objects.filter(action="channel.test").count() == 2


def test_channels_of_all_are_made_by_who_may_configure_and_of_a_team_by_its_managers(story, far):
    url = far[0].base_url
    manager = make_person("mia", Role.RELEASE_MANAGER, team=story.service.team)
    assert make(story, url, person=manager, team=story.service.team).secret.startswith("whsec_")
    with pytest.raises(NotAllowedError):
        make(story, url, person=manager, name="for all")
    with pytest.raises(NotAllowedError):
        make(story, url, person=manager, name="of others", team=make_team("billing"))
    with pytest.raises(NotAllowedError):
        make(story, url, person=story.tomasz, name="mine", team=story.service.team)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"address": "ftp://example.org"}, "address"),
        ({"address": "not a link"}, "address"),
        ({"kinds": []}, "kinds"),
        ({"kinds": ["gossip"]}, "kinds"),
        ({"form": "pigeon"}, "form"),
        ({"name": " "}, "name"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_made(story, far, fields, key):
    fields = {"address": far[0].base_url, **fields}
    with pytest.raises(InputError) as caught:
        make(story, **fields)
    assert caught.value.key == key
    assert not NotificationChannel.objects.exists()


def test_secrets_and_addresses_are_stored_encrypted(story, far):
    from django.db import connection

    made = make(story, far[0].base_url)
    with connection.cursor() as cursor:
        cursor.execute("SELECT address, secret FROM promotion_notificationchannel")
        address, secret = cursor.fetchone()
    assert far[0].base_url not in address
    assert made.secret not in secret


def test_the_sweep_sends_what_is_due(story, far, settings):
    from config.celery import app

    make(story, far[0].base_url)
    story.ask()
    app.conf.task_always_eager = True
    try:
        tasks.sweep_outbox()
        tasks.watch()
    finally:
        app.conf.task_always_eager = False
    assert len(far[0].asked) == 1
