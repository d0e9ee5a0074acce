"""What is learnt from a promotion that ended badly: its cause, and what is done about it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Promotion, Role, User
from promotion.models.promotion import PromotionQuerySet
from promotion.rules.states import State

from .audit import record
from .checking import check_link, check_words
from .rights import teams_where

LONGEST_WORDS = 5000
LONGEST_WAIT = timedelta(days=366)
RESPONSIBLE = (Role.MEMBER, Role.RELEASE_MANAGER)
ENDED_BADLY = (State.FAILED.value, State.ERRORED.value)
# What nobody explained by then nobody will; it stays on its page.
ASKED_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Told:
    """The cause in a category and words, and the action: what, who, until when, where it is tracked."""

    cause: str
    words: str
    action: str
    owner: User
    due: date
    url: str = ""


@transaction.atomic
def tell_cause(number: int, told: Told, *, person: User, at: datetime) -> Promotion:
    """Records cause and action; told anew, the later stands, and the same twice changes nothing.

    NotAllowedError where the person has no part in the team, ConflictError where the promotion did
    not end badly, InputError for what is missing or cannot be used. Nothing was changed then.
    """
    promotion = _find(number, person, "tell the cause")
    columns = _check(told, promotion, at)
    if all(getattr(promotion, name) == value for name, value in columns.items()):
        return promotion
    Promotion.objects.filter(pk=number).update(**columns, cause_told_at=at, cause_told_by=person)
    record(
        "promotion.cause",
        promotion,
        actor=person,
        at=at,
        reason=columns["cause_words"],
        details={
            "cause": told.cause,
            "action": columns["action"],
            "owner": told.owner.get_username(),
            "due": told.due.isoformat(),
            "url": columns["action_url"],
        },
    )
    promotion.refresh_from_db()
    return promotion


@transaction.atomic
def set_action_done(number: int, *, is_done: bool, person: User, at: datetime) -> Promotion:
    """Marks the action done, or open again; its owner may, and who may tell the cause."""
    promotion = _find(number, person, "settle the action", or_owner=True)
    if not promotion.action:
        raise ConflictError(f"{promotion.number} has no action yet. Nothing was changed.")
    if (promotion.action_done_at is not None) == is_done:
        state = "done" if is_done else "open"
        raise ConflictError(
            f"The action of {promotion.number} is {state} already. Nothing was changed."
        )
    Promotion.objects.filter(pk=number).update(
        action_done_at=at if is_done else None, action_done_by=person if is_done else None
    )
    verb = "action_done" if is_done else "action_reopened"
    record(f"promotion.{verb}", promotion, actor=person, at=at, reason=promotion.action)
    promotion.refresh_from_db()
    return promotion


def asks_for_cause(promotion: Promotion) -> bool:
    """It failed, errored, or was rolled back."""
    return promotion.state in ENDED_BADLY or (
        not promotion.is_open
        and promotion.undone_by.filter(
            kind=Promotion.Kind.ROLLBACK, state=State.SUCCEEDED.value
        ).exists()
    )


def promotions_to_explain(person: User, at: datetime) -> PromotionQuerySet:
    """Those that ended badly lately without a cause, of the teams the person has a part in."""
    rolled_back = Promotion.objects.filter(
        undoes=OuterRef("pk"), kind=Promotion.Kind.ROLLBACK, state=State.SUCCEEDED.value
    )
    return Promotion.objects.filter(
        Q(state__in=ENDED_BADLY) | Exists(rolled_back),
        service__team__in=teams_where(person, *RESPONSIBLE),
        cause="",
        ended_at__gt=at - ASKED_FOR,
    ).order_by("-ended_at", "-pk")


def actions_of(person: User) -> PromotionQuerySet:
    """The promotions whose open action the person owns, the one due first ahead."""
    return (
        Promotion.objects.filter(action_owner=person, action_done_at=None)
        .exclude(action="")
        .order_by("action_due", "pk")
    )


def may_tell_cause(person: User, promotion: Promotion) -> bool:
    """Members and release managers of the service's team."""
    return person.may_ask(promotion.service.team)


def _find(number: int, person: User, what: str, *, or_owner: bool = False) -> Promotion:
    promotion = Promotion.objects.locked(number)
    is_owner = or_owner and promotion.action_owner_id == person.pk
    if not (is_owner or may_tell_cause(person, promotion)):
        raise NotAllowedError(
            f"{person.name} may not {what} of {promotion.number}: that takes a member or release"
            f" manager of {promotion.service.team.name}. Nothing was changed."
        )
    if not asks_for_cause(promotion):
        raise ConflictError(
            f"{promotion.number} is {promotion.state} and was not rolled back, so no cause is asked"
            " for. Nothing was changed."
        )
    return promotion


def _check(told: Told, promotion: Promotion, at: datetime) -> dict[str, Any]:
    """The columns; InputError for the first that cannot be used."""
    words = check_words(told.words, "The cause needs words", LONGEST_WORDS, key="words")
    action = check_words(told.action, "The action needs words", LONGEST_WORDS, key="action")
    return {
        "cause": _check_cause(told.cause),
        "cause_words": words,
        "action": action,
        "action_owner_id": _check_owner(told.owner).pk,
        "action_due": _check_due(told.due, promotion, at),
        "action_url": check_link(told.url, "url", "the action", is_needed=False),
    }


def _check_cause(cause: str) -> str:
    if cause not in Promotion.Cause.values:
        raise InputError(
            f"The cause is one of {', '.join(Promotion.Cause.values)}. Nothing was changed.",
            key="cause",
        )
    return cause


def _check_owner(owner: User) -> User:
    if not owner.is_active:
        raise InputError(
            f"{owner.name} is not here any more and cannot own the action. Nothing was changed.",
            key="owner",
        )
    return owner


def _check_due(due: date, promotion: Promotion, at: datetime) -> date:
    """Not over when it is set; a due date that stands may lie behind."""
    # Somewhere it is still yesterday, and somebody there means today.
    earliest = (at - timedelta(days=1)).date()
    if due != promotion.action_due and not earliest <= due <= (at + LONGEST_WAIT).date():
        raise InputError(
            f"The action is due within the next {LONGEST_WAIT.days} days. Nothing was changed.",
            key="due",
        )
    return due
