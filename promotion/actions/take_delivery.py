"""The one way in for a sender's deliveries: proven and kept, or refused and counted."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db.models import F

from promotion.exceptions import ConflictError, InputError
from promotion.models import Sender, User
from promotion.models.finding import find_known
from promotion.sources.base import AuthenticationError, Delivery, Source
from promotion.sources.known import SOURCES
from promotion.sources.probe import make_probe

from .connect_sender import check_may_connect
from .prove_delivery import prove_delivery
from .receive import Received, receive


@dataclass(frozen=True, slots=True)
class Accepting:
    """A sender that is on, and what reads its deliveries."""

    sender: Sender
    source: Source


def find_accepting(slug: str) -> Accepting | None:
    """The sender at that address; None where there is none, it is off, or nothing can read it."""
    sender = find_known(Sender, "slug", slug)
    if sender is None or not sender.is_active:
        return None
    source = SOURCES.get(sender.kind)
    return Accepting(sender, source) if source else None


def take_delivery(accepting: Accepting, delivery: Delivery, *, at: datetime) -> Received:
    """Keeps the delivery once it is proven; AuthenticationError, counted with its reason, where not.

    UnreachableError where the keys of the tool's own signature cannot be fetched.
    """
    sender, source = accepting.sender, accepting.source
    try:
        prove_delivery(sender, source, delivery, at=at)
    except AuthenticationError as error:
        # Nothing of the delivery itself is kept: anybody may have sent it.
        Sender.objects.filter(pk=sender.pk).update(
            refused_count=F("refused_count") + 1,
            refused_at=at,
            refused_reason=error.sentence[:300],
        )
        raise
    return receive(source, delivery, sender=sender, token=None, at=at)


def send_test(slug: str, *, person: User, at: datetime) -> Received:
    """Delivers a signed test to the sender's own address, by the way its tool's deliveries come.

    NotAllowedError where the person may not change senders, ConflictError where the sender is off,
    InputError where its tool's proof cannot be made here.
    """
    check_may_connect(person)
    accepting = find_accepting(slug)
    if accepting is None:
        raise ConflictError(
            "This sender is off, so nothing is taken in at its address. Nothing was sent; turn it"
            " on first."
        )
    if accepting.sender.signed_by:
        raise InputError(
            "Only the tool itself can sign what this sender accepts. Nothing was sent; deliver"
            " something from the tool."
        )
    secret = accepting.sender.secret
    if not secret:
        raise InputError("This sender has no secret. Nothing was sent; make a new one first.")
    probe = make_probe(accepting.source, secret, identity=f"test-{uuid4()}", now=at)
    return take_delivery(accepting, probe, at=at)
