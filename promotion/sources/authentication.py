"""The schemes by which senders prove themselves; whatever is not proven is refused.

Secrets are compared in constant time. Several secrets may hold at once, so that one can be
changed without losing a delivery.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from .base import AuthenticationError, Delivery
from .times import clean_time

TOLERANCE = timedelta(minutes=5)


class Scheme(Protocol):
    """One way of proving who sent a delivery."""

    def is_used_by(self, delivery: Delivery) -> bool:
        """Whether the delivery carries this scheme's proof."""
        ...

    def authenticate(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Return if the proof holds for one of the secrets, else raise AuthenticationError."""
        ...


@dataclass(frozen=True, slots=True)
class HexSignature:
    """An HMAC of the raw body in hex, in one header.

    With `several` the header lists signatures by comma; only those with the prefix count.
    """

    header: str
    prefix: str = "sha256="
    algorithm: str = "sha256"
    several: bool = False
    is_prefix_needed: bool = True

    def is_used_by(self, delivery: Delivery) -> bool:
        """Whether the header is there."""
        return self.header in delivery.headers

    def authenticate(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Compare the header with the HMAC of the body under each secret."""
        values = _required(delivery, self.header)
        given = []
        for value in values.split(",") if self.several else [values]:
            one = value.strip()
            if one.startswith(self.prefix):
                given.append(one.removeprefix(self.prefix).lower())
            elif not self.is_prefix_needed:
                given.append(one.lower())
        expected = [sign_hex(self.algorithm, one, delivery.body) for one in usable(secrets)]
        if not _match(given, expected):
            raise _wrong(f"The signature in {self.header}")


@dataclass(frozen=True, slots=True)
class SharedToken:
    """The secret itself in one header."""

    header: str

    def is_used_by(self, delivery: Delivery) -> bool:
        """Whether the header is there."""
        return self.header in delivery.headers

    def authenticate(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Compare the header with each secret."""
        value = _required(delivery, self.header)
        if not _match([value], usable(secrets)):
            raise _wrong(f"The token in {self.header}")


@dataclass(frozen=True, slots=True)
class TimedSignature:
    """An HMAC over time and body, so that an old delivery cannot be sent again."""

    header: str
    read: Callable[[Delivery], tuple[str, list[str]]]
    separator: bytes

    def is_used_by(self, delivery: Delivery) -> bool:
        """Whether the header is there."""
        return self.header in delivery.headers

    def authenticate(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Check the time, then the signature under each secret."""
        _required(delivery, self.header)
        timestamp, given = self.read(delivery)
        check_time(timestamp, now)
        signed = timestamp.encode() + self.separator + delivery.body
        expected = [sign_hex("sha256", one, signed) for one in usable(secrets)]
        if not _match(given, expected):
            raise _wrong(f"The signature in {self.header}")


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Several schemes of one sender: the first whose proof is there decides, alone."""

    schemes: tuple[Scheme, ...]

    def is_used_by(self, delivery: Delivery) -> bool:
        """Whether any of the proofs is there."""
        return any(one.is_used_by(delivery) for one in self.schemes)

    def authenticate(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Leave it to the first scheme used; without any the first one says what is missing."""
        used = (one for one in self.schemes if one.is_used_by(delivery))
        next(used, self.schemes[0]).authenticate(delivery, secrets, now)


def sign_hex(algorithm: str, secret: str, content: bytes) -> str:
    """The HMAC of content in hex."""
    return hmac.new(secret.encode(), content, getattr(hashlib, algorithm)).hexdigest()


def usable(secrets: Sequence[str]) -> list[str]:
    """The secrets that are any; an empty one would let everybody in."""
    found = [one for one in secrets if one and one.strip()]
    if not found:
        raise AuthenticationError(
            "This sender has no secret, so nothing can be trusted; the delivery was not taken in. "
            "Set a secret for the sender here and the same one at the tool."
        )
    return found


def is_equal(given: str, expected: str) -> bool:
    """Compare in constant time; whatever stands in a header may be compared."""
    return hmac.compare_digest(
        given.encode("utf-8", "replace"), expected.encode("utf-8", "replace")
    )


def check_time(timestamp: str, now: datetime) -> None:
    """Refuse a signed time more than five minutes from now, or none at all."""
    at = clean_time(timestamp)
    if at is None:
        raise AuthenticationError(
            "The delivery is signed without a readable time; it was not taken in."
        )
    if abs(now - at) > TOLERANCE:
        raise AuthenticationError(
            "The delivery was signed more than five minutes from now; it was not taken in. "
            "If it was not sent again by somebody else, set the clocks."
        )


def _required(delivery: Delivery, header: str) -> str:
    value = delivery.headers.get(header, "").strip()
    if not value:
        raise AuthenticationError(
            f"The delivery has no {header} header; it was not taken in. "
            "Set the sender's secret at the tool."
        )
    return value


def _match(given: Iterable[str], expected: Iterable[str]) -> bool:
    # Every pair is compared, so that the time says nothing about which one fits.
    pairs = [is_equal(one, other) for other in expected for one in given]
    return any(pairs)


def _wrong(what: str) -> AuthenticationError:
    return AuthenticationError(
        f"{what} does not fit any secret of this sender; the delivery was not taken in. "
        "Set the same secret at the tool and here."
    )
