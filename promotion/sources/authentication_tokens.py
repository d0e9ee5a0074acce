"""Schemes with a format of their own: shared secrets, Standard Webhooks, JSON Web Signatures."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .authentication import check_time, is_equal, usable
from .base import AuthenticationError, Delivery

_WRONG = (
    "{what} does not fit any secret of this sender; the delivery was not taken in. "
    "Set the same secret at the tool and here."
)


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """For tools that cannot sign: bearer, basic or bare text in a header, or in the address."""

    headers: tuple[str, ...] = ("Authorization",)
    may_be_in_address: bool = False

    def is_used_by(self, delivery: Delivery) -> bool:
        """Whether a header or the address carries a secret."""
        return bool(self._given(delivery))

    def authenticate(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Compare what was given with each secret; basic as user:password or password alone."""
        given = self._given(delivery)
        if not given:
            place = " or in its address" if self.may_be_in_address else ""
            raise AuthenticationError(
                f"The delivery carries no secret in {' or '.join(self.headers)}{place}; "
                "it was not taken in. Set the sender's secret at the tool."
            )
        expected = usable(secrets)
        # Every pair is compared, so that the time says nothing about which one fits.
        compared = [is_equal(one, other) for one in given for other in expected]
        if not any(compared):
            raise AuthenticationError(_WRONG.format(what="The secret given"))

    def _given(self, delivery: Delivery) -> list[str]:
        given = []
        for name in self.headers:
            value = delivery.headers.get(name, "").strip()
            if not value:
                continue
            given.append(value)
            word, _, rest = value.partition(" ")
            if word.lower() in {"bearer", "token"}:
                given.append(rest.strip())
            elif word.lower() == "basic":
                given += _basic(rest.strip())
        if self.may_be_in_address and delivery.url_secret:
            given.append(delivery.url_secret)
        return [one for one in given if one]


def _basic(text: str) -> list[str]:
    try:
        plain = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return []
    return [plain, plain.partition(":")[2]]


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """The Standard Webhooks specification, 1.0: id, time and body signed together.

    A secret is `whsec_` and base64 of the key, or any other text, which is then the key; with
    `whpk_` it is an Ed25519 public key for signatures of version v1a.
    """

    def is_used_by(self, delivery: Delivery) -> bool:
        """Whether a signature header is there."""
        return self._prefix(delivery) is not None

    def authenticate(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Check the time, then each listed signature under each secret."""
        prefix = self._prefix(delivery)
        if prefix is None:
            raise AuthenticationError(
                "The delivery has no webhook-signature header; it was not taken in. "
                "Set the sender's secret at the tool."
            )
        message_id = delivery.headers.get(f"{prefix}-id", "")
        timestamp = delivery.headers.get(f"{prefix}-timestamp", "").strip()
        if not message_id or not (timestamp.isascii() and timestamp.isdigit()):
            raise AuthenticationError(
                f"The delivery lacks {prefix}-id or {prefix}-timestamp; it was not taken in."
            )
        check_time(timestamp, now)
        content = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + delivery.body
        listed = delivery.headers.get(f"{prefix}-signature", "").split()[:50]
        compared = [_fits(one, key, content) for key in usable(secrets) for one in listed]
        if not any(compared):
            raise AuthenticationError(_WRONG.format(what=f"The signature in {prefix}-signature"))

    def _prefix(self, delivery: Delivery) -> str | None:
        names = ("webhook", "svix")
        return next((one for one in names if f"{one}-signature" in delivery.headers), None)


def _fits(signature: str, secret: str, content: bytes) -> bool:
    version, _, value = signature.partition(",")
    if secret.startswith("whpk_"):
        return version == "v1a" and _is_signed(value, secret.removeprefix("whpk_"), content)
    if version != "v1":
        return False
    expected = hmac.new(_key_of(secret), content, hashlib.sha256).digest()
    return is_equal(value, base64.b64encode(expected).decode())


def _key_of(secret: str) -> bytes:
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()


def _is_signed(value: str, key: str, content: bytes) -> bool:
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        public.verify(base64.b64decode(value, validate=True), content)
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


@dataclass(frozen=True, slots=True)
class SignedHash:
    """A JSON Web Signature (HS256, RFC 7515) whose claims hold the SHA-256 of the body."""

    header: str
    issuer: str

    def is_used_by(self, delivery: Delivery) -> bool:
        """Whether the header is there."""
        return self.header in delivery.headers

    def authenticate(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Check algorithm, signature, issuer and hash."""
        token = delivery.headers.get(self.header, "").strip()
        if not token:
            raise AuthenticationError(
                f"The delivery has no {self.header} header; it was not taken in. "
                "Set the sender's secret at the tool."
            )
        signed, _, signature = token.rpartition(".")
        head, _, claims = signed.partition(".")
        expected = [
            hmac.new(one.encode(), signed.encode("utf-8", "replace"), hashlib.sha256).digest()
            for one in usable(secrets)
        ]
        given = _decode(signature)
        compared = [hmac.compare_digest(given, one) for one in expected]
        said = _claims(claims)
        body = hashlib.sha256(delivery.body).hexdigest()
        if (
            not any(compared)
            or _claims(head).get("alg") != "HS256"
            or said.get("iss") != self.issuer
            or not is_equal(str(said.get("sha256", "")), body)
        ):
            raise AuthenticationError(_WRONG.format(what=f"The signature in {self.header}"))


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""


def _claims(text: str) -> dict[str, object]:
    try:
        value = json.loads(_decode(text))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
