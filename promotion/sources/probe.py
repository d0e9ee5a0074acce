"""A test delivery as each tool would prove it: real authentication, and a body that is no fact."""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from promotion.exceptions import InputError
from promotion.integrity.webhooks import sign_message

from .artifactory import TokenOrSignature
from .authentication import AnyOf, HexSignature, SharedToken, sign_hex
from .authentication_tokens import SharedSecret, SignedHash, StandardWebhooks
from .base import Delivery, Source

MARK = "throughline-test"  # header names are kept in lower case
SENTENCE = "A test sent from the page of its sender; it speaks of nothing."
# What the tool itself sends when a webhook is tried; others have no such message.
EVENT_HEADERS: dict[str, dict[str, str]] = {
    "github": {"X-GitHub-Event": "ping"},
    "gitea": {"X-Gitea-Event": "ping"},
    "bitbucket": {"X-Event-Key": "diagnostics:ping"},
    "circleci": {"Circleci-Event-Type": "ping"},
    "netlify": {"X-Netlify-Event": "test"},
    "nexus": {"X-Nexus-Webhook-ID": "test"},
}
DELIVERY_HEADERS = {
    "github": "X-GitHub-Delivery",
    "gitea": "X-Gitea-Delivery",
    "bitbucket": "X-Request-UUID",
    "nexus": "X-Nexus-Webhook-Delivery",
}


def make_probe(source: Source, secret: str, *, identity: str, now: datetime) -> Delivery:
    """A delivery that the source accepts with this secret and that becomes nothing.

    InputError where the secret alone is no proof.
    """
    body = json.dumps({"type": "throughline-test", "id": identity, "message": SENTENCE}).encode()
    proof = _prove(getattr(source, "scheme", None), body, secret, identity, now)
    if proof is None:
        raise InputError(
            f"No test can be made in the way {source.title} proves itself. Nothing was sent; deliver"
            " something from the tool."
        )
    headers = {"Content-Type": "application/json", MARK: "1"} | proof
    headers |= EVENT_HEADERS.get(source.kind, {})
    if name := DELIVERY_HEADERS.get(source.kind):
        headers[name] = identity
    return Delivery(body=body, headers=headers, content_type="application/json")


def _prove(
    scheme: Any, body: bytes, secret: str, identity: str, now: datetime
) -> dict[str, str] | None:
    """The headers of the first scheme that a secret alone can satisfy."""
    if isinstance(scheme, AnyOf):
        proofs = (_prove(one, body, secret, identity, now) for one in scheme.schemes)
        return next((one for one in proofs if one is not None), None)
    if isinstance(scheme, HexSignature):
        return {scheme.header: scheme.prefix + sign_hex(scheme.algorithm, secret, body)}
    if isinstance(scheme, SharedToken):
        return {scheme.header: secret}
    if isinstance(scheme, SharedSecret):
        return {scheme.headers[0]: f"Bearer {secret}"}
    if isinstance(scheme, StandardWebhooks):
        return sign_message(secret.encode(), identity, now, body)
    if isinstance(scheme, SignedHash):
        return {scheme.header: _sign_token(scheme.issuer, secret, body)}
    if isinstance(scheme, TokenOrSignature):
        return {"X-JFrog-Event-Auth": secret}
    return None


def _sign_token(issuer: str, secret: str, body: bytes) -> str:
    """RFC 7515, HS256."""
    claims = {"iss": issuer, "sha256": hashlib.sha256(body).hexdigest()}
    parts = [_encode(json.dumps(one).encode()) for one in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = ".".join(parts)
    signature = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_encode(signature)}"


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
