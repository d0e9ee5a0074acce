"""Telling of freezes: when one begins, and when it ends, be it by its time or by a person."""

from datetime import datetime

from promotion.formats import format_moment
from promotion.models import Freeze, NoticeKind, Role, User

from .tell import News, tell
from .tell_moves import people_with_roles

ROLES = (Role.MEMBER, Role.RELEASE_MANAGER, Role.PLATFORM_ENGINEER)
LINK = "/environments/"


def tell_begin(made: Freeze, *, at: datetime) -> None:
    """Those with a role in its scope, but not who made it."""
    until = f" until {format_moment(made.ends_at)}" if made.ends_at else ""
    sentence = f"{_scope(made)} is frozen{until}: {made.reason}"
    _tell(made, NoticeKind.FREEZE_BEGINS, "begins", sentence, made.created_by, at)
    made.begin_told_at = at
    Freeze.objects.filter(pk=made.pk).update(begin_told_at=at)


def tell_end(ended: Freeze, *, at: datetime) -> None:
    """The same people; who lifted it knows."""
    by = f" {ended.lifted_by.name} lifted the freeze." if ended.lifted_by else " Its time is over."
    sentence = f"{_scope(ended)} is no longer frozen.{by}"
    _tell(ended, NoticeKind.FREEZE_ENDS, "ends", sentence, ended.lifted_by, at)
    ended.end_told_at = at
    Freeze.objects.filter(pk=ended.pk).update(end_told_at=at)


def _tell(
    freeze: Freeze, kind: NoticeKind, what: str, sentence: str, actor: User | None, at: datetime
) -> None:
    owner = freeze.service.team if freeze.service else freeze.team
    people = [
        person
        for person in people_with_roles(owner, *ROLES)
        if actor is None or person.pk != actor.pk
    ]
    news = News(
        kind=kind,
        key=f"freeze-{what}:{freeze.pk}",
        sentence=sentence,
        link=LINK,
        freeze=freeze,
        service=freeze.service,
        environment=freeze.environment,
        facts={"freeze": freeze.pk, "scope": freeze.scope, "reason": freeze.reason},
    )
    tell(people, news, at=at)


def _scope(freeze: Freeze) -> str:
    scope = freeze.scope
    return scope[:1].upper() + scope[1:] if scope in ("everything", freeze.tier) else scope
