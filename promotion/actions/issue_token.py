"""Keys of the API: made and shown once, revoked for good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Token, User

from .audit import record

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class NewToken:
    """The token, and its text that is shown this once."""

    token: Token
    text: str


@transaction.atomic
def make_token(
    name: str,
    scopes: Sequence[str],
    *,
    user: User | None,
    person: User,
    at: datetime,
    expires_at: datetime | None = None,
) -> NewToken:
    """Makes a token for the person themself, or for a machine that belongs to nobody.

    NotAllowedError where the person may not configure or it would act for somebody else;
    InputError where the scopes cannot be used, or the end is not after now.
    """
    _check_allowed(person)
    if user is not None and user.pk != person.pk:
        raise NotAllowedError("A token acts for whoever makes it. Nothing was changed.")
    _check(name.strip(), scopes, user, expires_at, at)
    token, text = Token.make(
        name=name.strip(),
        user=user,
        scopes=sorted(set(scopes)),
        created_at=at,
        expires_at=expires_at,
    )
    token.save()
    details = {"scopes": token.scopes, "for": user.get_username() if user else ""}
    record("token.make", token, actor=person, at=at, details=details)
    return NewToken(token, text)


@transaction.atomic
def revoke_token(token: int, *, person: User, at: datetime) -> Token:
    """Ends the token now; ConflictError where it was revoked already."""
    found = Token.objects.select_for_update().get(pk=token)
    if found.user_id != person.pk:
        _check_allowed(person)
    if found.revoked_at is not None:
        raise ConflictError(f"{found} was revoked already. Nothing was changed.")
    found.revoked_at = at
    found.save(update_fields=["revoked_at"])
    record("token.revoke", found, actor=person, at=at)
    return found


def _check_allowed(person: User) -> None:
    if not person.may_configure():
        raise NotAllowedError(
            f"{person.name} may not change tokens: that takes a platform engineer or an"
            " administrator. Nothing was changed."
        )


def _check(
    name: str, scopes: Sequence[str], user: User | None, expires_at: datetime | None, at: datetime
) -> None:
    if not name or len(name) > LONGEST_NAME:
        raise InputError(f"A token needs a name of at most {LONGEST_NAME} characters.", key="name")
    if not scopes or not set(scopes) <= set(Token.Scope.values):
        raise InputError("A token needs at least one scope of those offered.", key="scopes")
    if user is None and set(scopes) - {Token.Scope.EVENTS.value, Token.Scope.READ.value}:
        raise InputError(
            "A token that belongs to nobody can send events and read, no more: who promotes or"
            " approves is a person.",
            key="scopes",
        )
    if expires_at is not None and expires_at <= at:
        raise InputError("The end must lie in the future. Nothing was changed.", key="expires_at")
