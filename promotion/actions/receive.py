"""Keeping a delivery exactly as it arrived, once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from promotion.models import Event, Sender, Token
from promotion.sources.base import Delivery, Source

from .keep_once import keep_once

# Their values are secrets; that they were there is kept.
SECRET_HEADERS = {
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-gitlab-token",
    "x-buildkite-token",
    "x-api-key",
    "x-auth-token",
    "x-jfrog-event-auth",
}
LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Received:
    """The event, and whether this delivery was the first of it."""

    event: Event
    is_new: bool


def receive(
    source: Source,
    delivery: Delivery,
    *,
    sender: Sender | None,
    token: Token | None,
    at: datetime,
    is_backfilled: bool = False,
) -> Received:
    """Stores raw bytes and headers; the same delivery again returns the event there is."""
    body_hash = hashlib.sha256(delivery.body).hexdigest()
    delivery_id = source.delivery_id(delivery) or f"sha256:{body_hash}"
    if len(delivery_id) > LONGEST_ID:
        delivery_id = "sha256:" + hashlib.sha256(delivery_id.encode()).hexdigest()
    event = Event(
        sender=sender,
        token=token,
        source=source.kind,
        delivery_id=delivery_id,
        content_type=delivery.content_type[:200],
        headers=_without_secrets(delivery.headers),
        body=delivery.body,
        body_sha256=body_hash,
        received_at=at,
        is_backfilled=is_backfilled,
    )
    if keep_once(event):
        return Received(event, is_new=True)
    return Received(
        Event.objects.get(sender=sender, token=token, delivery_id=delivery_id), is_new=False
    )


def _without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: "(hidden)" if name.lower() in SECRET_HEADERS else value.replace("\x00", "")[:2000]
        for name, value in headers.items()
    }
