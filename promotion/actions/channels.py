"""Channels that hear of what happens: made, tested, given a new secret, turned on and off."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from promotion.exceptions import ConflictError, InputError, NotAllowedError, ThroughlineError
from promotion.models import (
    Environment,
    NoticeKind,
    NotificationChannel,
    Role,
    Service,
    Team,
    User,
)
from promotion.models.notification import DeliveryQuerySet, NotificationDelivery

from .audit import record
from .checking import check_link, check_words
from .rights import teams_where
from .send_notice import call_channel

OVERLAP = timedelta(hours=24)
LONGEST_NAME = 100
SIGNED = NotificationChannel.Form.WEBHOOK


@dataclass(frozen=True, slots=True)
class NewChannel:
    """What is asked for; no team = the whole organisation, no services or environments = all."""

    name: str
    form: str
    address: str
    kinds: Sequence[str]
    team: Team | None = None
    services: Sequence[Service] = ()
    environments: Sequence[Environment] = ()


@dataclass(frozen=True, slots=True)
class ChannelSecret:
    """The channel, and the secret that is shown this once; "" where a chat needs none."""

    channel: NotificationChannel
    secret: str


@transaction.atomic
def make_channel(wanted: NewChannel, *, person: User, at: datetime) -> ChannelSecret:
    """Makes a channel; one that signs gets a secret of 256 random bits.

    NotAllowedError where the person may not, InputError for what cannot be used.
    """
    _check_allowed(person, wanted.team)
    name = check_words(wanted.name, "A channel needs a name", LONGEST_NAME, key="name")
    address = check_link(wanted.address, "address", "the webhook")
    _check(wanted, name)
    secret = _new_secret() if wanted.form == SIGNED else ""
    channel = NotificationChannel.objects.create(
        name=name,
        form=wanted.form,
        address=address,
        secret=secret,
        team=wanted.team,
        kinds=[kind for kind in NoticeKind.values if kind in wanted.kinds],
        created_by=person,
        created_at=at,
    )
    channel.services.set(wanted.services)
    channel.environments.set(wanted.environments)
    details = {
        "form": channel.form,
        "team": wanted.team.slug if wanted.team else "",
        "kinds": channel.kinds,
        "services": [one.slug for one in wanted.services],
        "environments": [one.slug for one in wanted.environments],
    }
    record("channel.make", channel, actor=person, at=at, details=details)
    return ChannelSecret(channel, secret)


@transaction.atomic
def rotate_channel(number: int, *, person: User, at: datetime) -> ChannelSecret:
    """A new secret; for 24 h messages carry the signature of the one before as well.

    ConflictError for a chat, which has none, and while such an overlap still runs.
    """
    channel = _find(number, person)
    if channel.form != SIGNED:
        raise ConflictError(
            f"{channel.name} is a chat; its address is its secret. Nothing was changed."
            " Make a new channel for a new address."
        )
    if len(channel.secrets_at(at)) > 1:
        raise ConflictError(
            f"The secret of {channel.name} was changed less than 24 h ago. Nothing was changed;"
            " change it again when that time is over."
        )
    secret = _new_secret()
    channel.previous_secret, channel.previous_secret_until = channel.secret, at + OVERLAP
    channel.secret = secret
    channel.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    record("channel.rotate", channel, actor=person, at=at)
    return ChannelSecret(channel, secret)


@transaction.atomic
def turn_channel(
    number: int, is_active: bool, *, person: User, at: datetime
) -> NotificationChannel:
    """Turns it on or off; what is still in the outbox of one turned off is not sent."""
    channel = _find(number, person)
    word = "on" if is_active else "off"
    if channel.is_active == is_active:
        raise ConflictError(f"{channel.name} is {word} already. Nothing was changed.")
    channel.is_active = is_active
    channel.save(update_fields=["is_active"])
    if not is_active:
        deliveries_of(channel).left().update(
            given_up_at=at, last_error="The channel was switched off before it was sent."
        )
    record(f"channel.{word}", channel, actor=person, at=at)
    return channel


def try_channel(number: int, *, person: User, at: datetime) -> int:
    """Sends a test at once, and returns the status the far side answered with.

    Raises NotAllowedError, or why it could not be sent. It is on record either way.
    """
    channel = find_channel(number, person)
    try:
        status = call_channel(
            channel,
            key=f"throughline-test-{secrets.token_hex(8)}",
            kind="test",
            sentence=f"{person.name} tests the channel {channel.name}.",
            link="/notifications/channels/",
            facts={"at": at.astimezone(UTC).isoformat()},
            at=at,
        )
    except ThroughlineError as error:
        record("channel.test", channel, actor=person, at=at, reason=error.sentence)
        raise
    record("channel.test", channel, actor=person, at=at, reason=f"It answered {status}.")
    return status


def may_manage(person: User, team: Team | None) -> bool:
    """Who may configure: all; the release managers of a team: those of their team."""
    if person.may_configure():
        return True
    return team is not None and person.has_role(team, Role.RELEASE_MANAGER)


def channels_for(person: User) -> list[NotificationChannel]:
    """The channels the person may manage, secrets and addresses unread."""
    rows = NotificationChannel.objects.defer("secret", "previous_secret").select_related("team")
    if not person.may_configure():
        rows = rows.filter(team__in=teams_where(person, Role.RELEASE_MANAGER))
    return list(rows.prefetch_related("services", "environments"))


def teams_for(person: User) -> "QuerySet[Team]":
    """The teams the person may make a channel for."""
    rows = Team.objects.all()
    if not person.may_configure():
        rows = rows.filter(pk__in=teams_where(person, Role.RELEASE_MANAGER))
    return rows


def find_channel(number: int, person: User) -> NotificationChannel:
    """The channel; NotAllowedError where the person may not manage it."""
    rows = NotificationChannel.objects.select_related("team__parent")
    channel = rows.get(pk=number)
    _check_allowed(person, channel.team)
    return channel


def deliveries_of(channel: NotificationChannel) -> DeliveryQuerySet:
    """Its outbox and what was sent."""
    return NotificationDelivery.objects.filter(channel=channel)


def _find(number: int, person: User) -> NotificationChannel:
    NotificationChannel.objects.select_for_update().get(pk=number)
    return find_channel(number, person)


def _check_allowed(person: User, team: Team | None) -> None:
    if may_manage(person, team):
        return
    who = f", or a release manager of {team.name}" if team else ""
    raise NotAllowedError(
        f"{person.name} may not change this channel: that takes a platform engineer or an"
        f" administrator{who}. Nothing was changed."
    )


def _check(wanted: NewChannel, name: str) -> None:
    if wanted.form not in NotificationChannel.Form.values:
        raise InputError("Choose what the far side understands. Nothing was changed.", key="form")
    if not wanted.kinds or set(wanted.kinds) - set(NoticeKind.values):
        raise InputError("Choose what it hears of. Nothing was changed.", key="kinds")
    if NotificationChannel.objects.filter(name=name).exists():
        raise InputError(
            f"There is a channel {name} already. Choose another name. Nothing was changed.",
            key="name",
        )
    if wanted.team and any(one.team_id != wanted.team.pk for one in wanted.services):
        raise InputError(
            f"Choose services of {wanted.team.name}, or no team. Nothing was changed.",
            key="services",
        )


def _new_secret() -> str:
    """As Standard Webhooks writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
