"""What each tool sends to prove itself, made with its secret; for tests of whole deliveries."""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

SIGNED_AS = {
    "github": ("X-Hub-Signature-256", "sha256=", "sha256"),
    "gitea": ("X-Gitea-Signature", "", "sha256"),
    "bitbucket": ("X-Hub-Signature", "sha256=", "sha256"),
    "circleci": ("circleci-signature", "v1=", "sha256"),
    "semaphore": ("X-Semaphore-Signature-256", "", "sha256"),
    "pagerduty": ("X-PagerDuty-Signature", "v1=", "sha256"),
    "artifactory": ("X-JFrog-Event-Auth", "", "sha256"),
    "nexus": ("X-Nexus-Webhook-Signature", "", "sha1"),
    "flux": ("X-Signature", "sha256=", "sha256"),
    "sonarqube": ("X-Sonar-Webhook-HMAC-SHA256", "", "sha256"),
    "sentry": ("Sentry-Hook-Signature", "", "sha256"),
}
TOKEN_IN = {"gitlab": "X-Gitlab-Token", "buildkite": "X-Buildkite-Token"}


def prove(kind: str, body: bytes, secret: str) -> dict[str, str]:
    """Headers by which a sender of that kind is believed."""
    if kind in SIGNED_AS:
        header, prefix, algorithm = SIGNED_AS[kind]
        made = hmac.new(secret.encode(), body, getattr(hashlib, algorithm)).hexdigest()
        return {header: prefix + made}
    if kind in TOKEN_IN:
        return {TOKEN_IN[kind]: secret}
    if kind == "netlify":
        return {"X-Webhook-Signature": sign_hash(body, secret)}
    return {"Authorization": f"Bearer {secret}"}


def sign_hash(body: bytes, secret: str) -> str:
    """A JSON Web Signature over the body's hash, as Netlify makes it."""
    claims: list[dict[str, Any]] = [
        {"alg": "HS256", "typ": "JWT"},
        {"iss": "netlify", "sha256": hashlib.sha256(body).hexdigest()},
    ]
    signed = ".".join(_encode(json.dumps(one).encode()) for one in claims)
    return f"{signed}.{_encode(hmac.new(secret.encode(), signed.encode(), 'sha256').digest())}"


def standard(body: bytes, secret: str, at: datetime, message: str = "msg_1") -> dict[str, str]:
    """The headers of Standard Webhooks."""
    stamp = str(int(at.timestamp()))
    content = f"{message}.{stamp}.".encode() + body
    made = base64.b64encode(hmac.new(secret.encode(), content, "sha256").digest()).decode()
    return {
        "webhook-id": message,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{made}",
    }


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
