"""Sending one message of the outbox: claim, send, record. At least once, under the same key each time."""

from datetime import datetime, timedelta
from smtplib import SMTPConnectError, SMTPException, SMTPServerDisconnected
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F

from promotion.exceptions import InputError, ThroughlineError, UnreachableError
from promotion.integrity.connecting import read_secret
from promotion.integrity.telling import encode_message, post_message, write_chat_message
from promotion.integrity.webhooks import sign_message
from promotion.models import NotificationChannel, NotificationDelivery, User

# After each failure it waits longer; after the last one it is given up, about a day later.
BACK_OFF = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=20),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=12),
)
# Longer than the longest call; a worker that was killed has it sent again after that.
CLAIMED_FOR = timedelta(seconds=120)
# What else goes to a far side that does not answer waits this long, so that it holds up no worker.
PAUSE = timedelta(seconds=30)
AT_ONCE = 100


def due_deliveries(*, at: datetime) -> list[int]:
    """The messages to be sent by now, those written first ahead."""
    rows = NotificationDelivery.objects.due(at).order_by("next_try_at", "pk")
    return list(rows.values_list("pk", flat=True)[:AT_ONCE])


def send_notice(number: int, *, at: datetime) -> bool:
    """Sends one message that is due; True where it arrived. Of two workers only one sends it.

    No transaction is open meanwhile. A worker killed between sending and recording leaves a claim
    that runs out; the message then goes out again with the same key.
    """
    delivery = _claim(number, at)
    if delivery is None:
        return False
    try:
        _send(delivery, at)
    except ThroughlineError as error:
        _put_off(delivery, error.sentence, at, is_down=isinstance(error, UnreachableError))
        return False
    NotificationDelivery.objects.filter(pk=number).update(done_at=at, last_error="")
    return True


def _claim(number: int, at: datetime) -> NotificationDelivery | None:
    rows = NotificationDelivery.objects.select_related("channel", "person")
    delivery = rows.due(at).filter(pk=number).first()
    if delivery is None:
        return None
    if not _is_still_wanted(delivery):
        _give_up(number, "It was switched off before it was sent.", at)
        return None
    if delivery.attempts > len(BACK_OFF):
        _give_up(number, "Every try to send it broke or ended its worker; the log tells how.", at)
        return None
    claimed = (
        NotificationDelivery.objects.due(at)
        .filter(pk=number, attempts=delivery.attempts)
        .update(attempts=F("attempts") + 1, next_try_at=at + CLAIMED_FOR)
    )
    delivery.attempts += 1
    return delivery if claimed else None


def _give_up(number: int, reason: str, at: datetime) -> None:
    NotificationDelivery.objects.filter(pk=number).update(given_up_at=at, last_error=reason)


def _is_still_wanted(delivery: NotificationDelivery) -> bool:
    if delivery.channel is not None:
        return delivery.channel.is_active
    return delivery.person is not None and delivery.person.is_active and bool(delivery.person.email)


def _send(delivery: NotificationDelivery, at: datetime) -> None:
    if delivery.channel is not None:
        call_channel(
            delivery.channel,
            key=delivery.message_id,
            kind=delivery.kind,
            sentence=delivery.sentence,
            link=delivery.link,
            facts=delivery.facts,
            at=at,
        )
    elif delivery.person is not None:
        _mail(delivery, delivery.person)


def call_channel(
    channel: NotificationChannel,
    *,
    key: str,
    kind: str,
    sentence: str,
    link: str,
    facts: dict[str, object],
    at: datetime,
) -> int:
    """Posts one message as the channel understands it, and returns the status it answered with.

    Raises UnreachableError where another try may help, else another ThroughlineError.
    """
    url = full_url(link)
    if channel.form == NotificationChannel.Form.SLACK:
        body = encode_message(write_chat_message(sentence, url, "Open"))
        headers: dict[str, str] = {}
    else:
        data = {**facts, "kind": kind, "text": sentence, "url": url}
        body = encode_message(
            {
                "type": f"throughline.{kind.replace(' ', '_')}",
                "timestamp": facts.get("at"),
                "data": data,
            }
        )
        headers = _sign(channel, key, at, body)
    answer = post_message(channel.name, channel.address, key=key, body=body, headers=headers)
    return answer.status


def _sign(channel: NotificationChannel, key: str, at: datetime, body: bytes) -> dict[str, str]:
    """During the overlap with both secrets, so that the receiver can change over when it likes."""
    signed = [
        sign_message(read_secret(secret, channel.name), key, at, body)
        for secret in channel.secrets_at(at)
    ]
    signatures = " ".join(one["webhook-signature"] for one in signed)
    return {**signed[0], "webhook-signature": signatures}


def full_url(link: str) -> str:
    """The whole address of one of our pages, as it stands in a message."""
    return link if "://" in link else f"{settings.PUBLIC_URL}{link}"


def _mail(delivery: NotificationDelivery, person: User) -> None:
    """Plain text, the page that decides in its own line; the Message-ID is the same for every try."""
    if not settings.MAIL_IS_SET_UP:
        raise InputError("No mail server is set up, so nothing was sent. Set EMAIL_URL.")
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    text = (
        f"{delivery.sentence}\n\n{full_url(delivery.link)}\n\n-- \n"
        f"{settings.ORGANISATION} sends this because you chose it. Choose what you hear of:\n"
        f"{full_url('/notifications/choices/')}\n"
    )
    subject = " ".join(delivery.sentence.split())
    message = EmailMessage(
        subject=subject if len(subject) <= 150 else f"{subject[:149]}…",
        body=text,
        to=[person.email],
        headers={
            "Message-ID": f"<{delivery.message_id}@{host}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    try:
        message.send()
    except (SMTPServerDisconnected, SMTPConnectError) as error:
        raise _no_answer(error) from error
    except SMTPException as error:
        raise InputError(f"The mail server refused the mail: {str(error)[:300]}") from error
    except OSError as error:
        raise _no_answer(error) from error
    except ValueError as error:
        raise InputError(f"The mail could not be written: {str(error)[:200]}") from error


def _no_answer(error: OSError) -> UnreachableError:
    return UnreachableError(
        f"The mail server did not answer ({type(error).__name__}). It is tried again."
    )


def _put_off(delivery: NotificationDelivery, reason: str, at: datetime, *, is_down: bool) -> None:
    left = delivery.attempts <= len(BACK_OFF)
    again = at + BACK_OFF[delivery.attempts - 1] if left else at
    NotificationDelivery.objects.filter(pk=delivery.pk).update(
        next_try_at=again, last_error=reason[:500], given_up_at=None if left else at
    )
    if is_down:
        others = NotificationDelivery.objects.due(at + PAUSE).exclude(pk=delivery.pk)
        others.filter(channel=delivery.channel_id).update(next_try_at=at + PAUSE)
