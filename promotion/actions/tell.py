"""Telling people: writes what they are told, and the outbox, within the transaction of the move.

Nothing is sent here; `send_notice` does that later. The key makes repeating harmless: one person is
told one thing once, and so is one channel.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from promotion.models import (
    Environment,
    Freeze,
    NoticeKind,
    Notification,
    NotificationChannel,
    NotificationChoice,
    NotificationDelivery,
    Promotion,
    Service,
    Team,
    User,
)

# What usually does not need a mail: it goes on by itself, or asks for nothing.
WITHOUT_MAIL = frozenset(
    {NoticeKind.DECIDED, NoticeKind.RUNNING, NoticeKind.SUCCEEDED, NoticeKind.FREEZE_ENDS}
)
# What nobody needs to act on: it comes to those only who chose it.
ONLY_CHOSEN = frozenset({NoticeKind.SUMMARY})
LONGEST_SENTENCE = 500
_is_quiet: ContextVar[bool] = ContextVar("is_quiet", default=False)


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell: `link` is the path of the page that decides, `key` the same for the same thing.

    `service` and `environment` say which channels hear of it; without them it concerns all.
    """

    kind: NoticeKind
    key: str
    sentence: str
    link: str
    promotion: Promotion | None = None
    freeze: Freeze | None = None
    service: Service | None = None
    environment: Environment | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@contextmanager
def telling_nobody() -> Iterator[None]:
    """While history is replayed: what happened long ago is news to nobody."""
    before = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(before)


def usual_choice(kind: str) -> tuple[bool, bool]:
    """What holds for a person who has not chosen: in the app, by mail."""
    if kind in ONLY_CHOSEN:
        return False, False
    return True, kind not in WITHOUT_MAIL


@transaction.atomic
def tell(people: Iterable[User], news: News, *, at: datetime) -> None:
    """Tells the people as each has chosen, and the channels that hear of it; at most seven queries.

    Call it inside the transaction of what it tells of, so that both stand or fall together.
    """
    if _is_quiet.get():
        return
    told = {person.pk: person for person in people if person.is_active}
    if told:
        _tell_people(list(told.values()), news, at)
    _tell_channels(news, at)


def _tell_people(people: Sequence[User], news: News, at: datetime) -> None:
    choices = {
        row.person_id: (row.in_app, row.by_mail)
        for row in NotificationChoice.objects.filter(person__in=people, kind=news.kind)
    }
    notices, mails = [], []
    for person in people:
        in_app, by_mail = choices.get(person.pk, usual_choice(news.kind))
        if in_app:
            notices.append(_notice(person, news, at))
        if by_mail and person.email and settings.MAIL_IS_SET_UP:
            mails.append(_delivery(news, at, person=person))
    # A row that is there already has told it: of two that tell the same one is without effect.
    Notification.objects.bulk_create(notices, ignore_conflicts=True)
    NotificationDelivery.objects.bulk_create(mails, ignore_conflicts=True)


def _tell_channels(news: News, at: datetime) -> None:
    rows = NotificationChannel.objects.filter(is_active=True).defer(
        "address", "secret", "previous_secret"
    )
    channels = list(rows.prefetch_related("services", "environments"))
    line = _line(news.service.team) if channels and news.service else set()
    told = [
        _delivery(news, at, channel=channel)
        for channel in channels
        if _hears_of(channel, news, line)
    ]
    NotificationDelivery.objects.bulk_create(told, ignore_conflicts=True)


def _line(team: Team | None) -> set[int]:
    """The team and those above it: they hear of what is below them."""
    line = set()
    while team is not None:
        line.add(team.pk)
        team = team.parent
    return line


def _hears_of(channel: NotificationChannel, news: News, line: set[int]) -> bool:
    """Does the channel's choice of kinds, team, services and environments contain it?

    `line` are the team of the service it concerns and those above. What concerns everybody (a
    freeze of everything) concerns every team, service and environment.
    """
    if news.kind not in channel.kinds:
        return False
    if news.service is not None:
        services = {one.pk for one in channel.services.all()}
        if channel.team_id not in (None, *line):
            return False
        if services and news.service.pk not in services:
            return False
    if news.environment is not None:
        places = {one.pk for one in channel.environments.all()}
        if places and news.environment.pk not in places:
            return False
    team = news.freeze.team_id if news.freeze else None
    return team is None or channel.team_id in (None, team)


def _notice(person: User, news: News, at: datetime) -> Notification:
    service = news.service
    return Notification(
        person=person,
        kind=news.kind,
        key=news.key,
        sentence=news.sentence[:LONGEST_SENTENCE],
        link=news.link,
        promotion=news.promotion,
        freeze=news.freeze,
        service=service,
        created_at=at,
    )


def _delivery(
    news: News,
    at: datetime,
    *,
    person: User | None = None,
    channel: NotificationChannel | None = None,
) -> NotificationDelivery:
    return NotificationDelivery(
        person=person,
        channel=channel,
        kind=news.kind,
        key=news.key,
        sentence=news.sentence[:LONGEST_SENTENCE],
        link=news.link,
        facts=_facts(news, at) if channel else {},
        created_at=at,
        next_try_at=at,
    )


def _facts(news: News, at: datetime) -> dict[str, Any]:
    """What a program at the other end can use without reading the sentence."""
    facts: dict[str, Any] = {"at": at.astimezone(UTC).isoformat()}
    if news.promotion:
        facts |= {
            "promotion": news.promotion.number,
            "state": news.promotion.state,
            "version": news.promotion.release.version,
        }
    if news.service:
        facts["service"] = news.service.slug
    if news.environment:
        facts["environment"] = news.environment.slug
    return facts | news.facts
