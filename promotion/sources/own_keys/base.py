"""What a tool's own signature is: where its keys are, whose it must be, and how it is checked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from promotion.exceptions import UnreachableError
from promotion.sources.base import AuthenticationError, Delivery


@dataclass(frozen=True, slots=True)
class Expected:
    """Whom the signature must be of, and the address of the hook it must be meant for.

    Everybody who uses the tool can have it sign; only these two tell our delivery from theirs.
    """

    signed_by: str
    address: str


class OtherKeyError(AuthenticationError):
    """The signature fits none of the keys given; newer ones may fit."""


class KeysUnreadableError(UnreachableError):
    """What is published are no keys; nobody can say who sent the delivery."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"What is at {address[:200]} are no keys, so the signature could not be checked. Nothing"
            " was kept; send it again later."
        )


class OwnKey(Protocol):
    """How one tool signs."""

    @property
    def asks(self) -> str:
        """What `signed_by` is, as a label."""
        ...

    @property
    def hint(self) -> str:
        """What to write there and what to set at the tool."""
        ...

    def is_name(self, text: str) -> bool:
        """Whether `signed_by` can be that."""
        ...

    def keys_at(self, delivery: Delivery, expected: Expected) -> str:
        """Where the keys are; AuthenticationError where the delivery cannot be of whom it must be,
        or names no place to be believed: nothing is fetched then.
        """
        ...

    def check(self, delivery: Delivery, keys: bytes, expected: Expected, now: datetime) -> None:
        """Return if the signature holds and is of whom it must be, else raise AuthenticationError.

        OtherKeyError where newer keys may fit, KeysUnreadableError where there are none.
        """
        ...


def refuse(why: str, what_to_do: str = "") -> AuthenticationError:
    """The error with its sentence."""
    return AuthenticationError(f"{why}; the delivery was not taken in. {what_to_do}".strip())


def is_signed(
    key: object, signature: bytes, content: bytes, algorithm: hashes.HashAlgorithm
) -> bool:
    """Whether that RSA key signed the content (RFC 8017, PKCS #1 v1.5)."""
    if not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(signature, content, PKCS1v15(), algorithm)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
