"""Signing what we send, by Standard Webhooks 1.0 (github.com/standard-webhooks/standard-webhooks)."""

import base64
import hashlib
import hmac
from datetime import datetime


def sign_message(secret: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of a signed message; `message_id` is the same for every attempt.

    The signature is HMAC-SHA256 over id, seconds since 1970 and body, joined by full stops.
    """
    timestamp = str(int(at.timestamp()))
    signed = b".".join([message_id.encode(), timestamp.encode(), body])
    signature = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
