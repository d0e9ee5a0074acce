"""Telling Throughline what happened, over the signed webhook like any other sender."""

import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from demo.organisation import RUNTIME_SENDER
from promotion.integrity.webhooks import sign_message
from promotion.models import Sender

logger = logging.getLogger(__name__)
TIMEOUT = httpx.Timeout(10.0, connect=3.0)


def write_message(
    secret: str, identity: str, fact: dict[str, Any], at: datetime
) -> tuple[bytes, dict[str, str]]:
    """The body and headers of a fact, signed by Standard Webhooks; its id is the same each time."""
    body = json.dumps(fact, separators=(",", ":")).encode()
    headers = sign_message(secret.encode(), identity, at, body)
    return body, headers | {"Content-Type": "application/json"}


def open_teller(client: httpx.Client) -> Callable[[str, dict[str, Any]], bool]:
    """A function that posts one fact; False where it was not taken in, to be tried again."""
    address = settings.PUBLIC_URL + reverse("hook", args=[RUNTIME_SENDER])

    def tell(identity: str, fact: dict[str, Any]) -> bool:
        secret = Sender.objects.get(slug=RUNTIME_SENDER).secret
        body, headers = write_message(secret, identity, fact, timezone.now())
        try:
            answer = client.post(address, content=body, headers=headers)
        except httpx.TransportError as error:
            logger.info("Throughline does not answer yet (%s).", type(error).__name__)
            return False
        if answer.status_code != httpx.codes.ACCEPTED:
            logger.warning("Throughline answered %s: %s", answer.status_code, answer.text[:300])
            return False
        return True

    return tell
