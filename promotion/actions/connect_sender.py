"""Letting a tool send us events: its sender and secret, and a new secret without a gap."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Sender, User
from promotion.sources.known import SOURCES
from promotion.sources.own_keys.known import OWN_KEYS

from .audit import record

OVERLAP = timedelta(hours=24)
# What stands in /hooks/<address>; narrower than the names of other things, which may hold dots.
ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

SHORTEST, LONGEST = 12, 500
# Pages beside those of the senders.
RESERVED = frozenset({"new", "senders", "tokens", "rules", "services"})


@dataclass(frozen=True, slots=True)
class NewSecret:
    """The sender, and the secret that is shown this once."""

    sender: Sender
    secret: str


@transaction.atomic
def make_sender(slug: str, name: str, kind: str, *, person: User, at: datetime) -> NewSecret:
    """Makes a sender with a secret of 256 random bits.

    NotAllowedError where the person may not configure; InputError where the name of the address
    cannot be used, is taken, or there is no source of that kind.
    """
    check_may_connect(person)
    if kind not in SOURCES:
        raise InputError(f"There is no source called {kind}. Nothing was changed.", key="kind")
    if not ADDRESS.fullmatch(slug):
        raise InputError(
            "Use letters, digits, dashes and underscores for the address. Nothing was changed.",
            key="slug",
        )
    if slug.lower() in RESERVED:
        raise InputError(
            f"The address {slug} is taken by a page of ours. Choose another address.", key="slug"
        )
    if Sender.objects.filter(slug=slug).exists():
        raise InputError(
            f"There is a sender at /hooks/{slug} already. Choose another address.", key="slug"
        )
    secret = secrets.token_urlsafe(32)
    sender = Sender(slug=slug, name=name.strip(), kind=kind, secret=secret, created_at=at)
    try:
        sender.full_clean(exclude=["secret"])
    except ValidationError as error:
        key, sentences = next(iter(error.message_dict.items()))
        raise InputError(f"{sentences[0]} Nothing was changed.", key=key) from error
    sender.save()
    record("sender.make", sender, actor=person, at=at, details={"slug": slug, "kind": kind})
    return NewSecret(sender, secret)


@transaction.atomic
def rotate_secret(sender: int, *, person: User, at: datetime, given: str = "") -> NewSecret:
    """Gives the sender a new secret; the one before is accepted for another 24 hours.

    `given` is one that the tool made itself. ConflictError while such an overlap still runs: a
    third secret would shut out the tool. InputError where the one given is too short.
    """
    check_may_connect(person)
    found = Sender.objects.select_for_update().get(pk=sender)
    if len(found.secrets_at(at)) > 1:
        raise ConflictError(
            f"The secret of {found.name} was changed less than 24 h ago, and the one before is still"
            " accepted. Nothing was changed; rotate it again when that time is over."
        )
    if given and not SHORTEST <= len(given) <= LONGEST:
        raise InputError(
            f"A secret has {SHORTEST} to {LONGEST} characters. Nothing was changed.", key="given"
        )
    secret = given or secrets.token_urlsafe(32)
    found.previous_secret, found.previous_secret_until = found.secret, at + OVERLAP
    found.secret = secret
    found.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    record(
        "sender.rotate",
        found,
        actor=person,
        at=at,
        details={"slug": found.slug, "is_given": bool(given)},
    )
    return NewSecret(found, secret)


@transaction.atomic
def believe_signature(sender: int, signed_by: str, *, person: User, at: datetime) -> Sender:
    """From now on only the tool's own signature, of that account, topic or owner, is a proof.

    Without a name the secret is the proof again. InputError where the tool does not sign with a key
    of its own, or the name cannot be that.
    """
    check_may_connect(person)
    found = Sender.objects.select_for_update().get(pk=sender)
    own, name = OWN_KEYS.get(found.kind), signed_by.strip()
    if own is None:
        raise InputError(f"{found.name} signs with no key of its own. Nothing was changed.")
    if name and not own.is_name(name):
        raise InputError(f"This is no {own.asks}. Nothing was changed.", key="signed_by")
    details = {"slug": found.slug, "before": found.signed_by, "after": name}
    found.signed_by = name
    found.save(update_fields=["signed_by"])
    record("sender.believe", found, actor=person, at=at, details=details)
    return found


@transaction.atomic
def set_active(sender: int, is_active: bool, *, person: User, at: datetime) -> Sender:
    """Turns the sender on or off; while it is off its deliveries get 404 and nothing is kept.

    ConflictError where it is so already.
    """
    check_may_connect(person)
    found = Sender.objects.select_for_update().get(pk=sender)
    word = "on" if is_active else "off"
    if found.is_active == is_active:
        raise ConflictError(f"{found.name} is {word} already. Nothing was changed.")
    found.is_active = is_active
    found.save(update_fields=["is_active"])
    record(f"sender.{word}", found, actor=person, at=at, details={"slug": found.slug})
    return found


def check_may_connect(person: User) -> None:
    """NotAllowedError for those who may not change senders."""
    if not person.may_configure():
        raise NotAllowedError(
            f"{person.name} may not change senders: that takes a platform engineer or an"
            " administrator. Nothing was changed."
        )
