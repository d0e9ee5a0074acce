"""Confirming that a topic of SNS may deliver to us, as the event that asks for it says."""

from datetime import datetime

import httpx
from django.db import transaction

from promotion.exceptions import ConflictError, NotAllowedError, ThroughlineError, UnreachableError
from promotion.integrity.calling import read_answer
from promotion.integrity.outgoing import open_client
from promotion.models import Event, User
from promotion.sources.own_keys.aws import find_subscription

from .audit import record

TIMEOUT = httpx.Timeout(10.0, connect=5.0)


def subscription_of(event: Event) -> str | None:
    """The address by which the subscription is confirmed; None where the event asks for none."""
    return find_subscription(bytes(event.body)) if event.source == "aws" else None


def confirm_subscription(event: int, *, person: User, at: datetime) -> None:
    """Calls the address that SNS sent; calling it twice changes nothing there.

    NotAllowedError where the person may not change senders, ConflictError where the event asks for
    nothing of the kind or SNS refuses, UnreachableError where SNS does not answer.
    """
    if not person.may_configure():
        raise NotAllowedError(
            f"{person.name} may not confirm subscriptions: that takes a platform engineer or an"
            " administrator. Nothing was changed."
        )
    found = Event.objects.get(pk=event)
    address = subscription_of(found)
    if address is None:
        raise ConflictError(
            "This event asks for no subscription at an address of SNS. Nothing was called."
        )
    _call(address)
    with transaction.atomic():
        record(
            "event.confirm", found, actor=person, at=at, details={"host": httpx.URL(address).host}
        )


def _call(address: str) -> None:
    try:
        with open_client(timeout=TIMEOUT) as client:
            answer = read_answer(client, client.build_request("GET", address))
    except ThroughlineError:
        raise
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnreachableError(
            f"SNS did not answer ({error}). The subscription is not confirmed; try again."
        ) from error
    if answer.status >= 500:
        raise UnreachableError(
            f"SNS answered {answer.status}. The subscription is not confirmed; try again."
        )
    if answer.status != 200:
        raise ConflictError(
            f"SNS answered {answer.status}. The subscription is not confirmed; what it sent may have"
            " run out after three days: subscribe the hook again."
        )
