"""Travis CI: RSA with SHA-1 over the form's field `payload`, in the header `Signature`.

Format: docs.travis-ci.com/user/notifications, "Verifying Webhook requests"; the key stands in the
API's /config. Travis signs for everybody, so that the repository's owner must be ours.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from promotion.exceptions import InputError
from promotion.sources.base import Delivery
from promotion.sources.reading import Part, read_elements

from .base import Expected, KeysUnreadableError, OtherKeyError, is_signed, refuse

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}(?:/[A-Za-z0-9_.-]{1,100})?", re.ASCII)
_SET = "Let the builds of travis-ci.com deliver, of the owner or repository named here."


@dataclass(frozen=True, slots=True)
class TravisSignature:
    """The signature in the header."""

    keys: str = "https://api.travis-ci.com/config"
    asks: str = "Owner or repository at travis-ci.com"
    hint: str = "acme, or acme/shop. Travis signs every delivery by itself."

    def is_name(self, text: str) -> bool:
        """An owner, or an owner and a repository."""
        return _NAME.fullmatch(text) is not None

    def keys_at(self, delivery: Delivery, expected: Expected) -> str:
        """The configuration of Travis' API."""
        _taken_apart(delivery)  # without a signature there is nothing to fetch keys for
        return self.keys

    def check(self, delivery: Delivery, keys: bytes, expected: Expected, now: datetime) -> None:
        """Signature, then the repository."""
        signature, payload = _taken_apart(delivery)
        key = _key_in(keys)
        if key is None:
            raise KeysUnreadableError(self.keys)
        if not is_signed(key, signature, payload.encode(), hashes.SHA1()):  # noqa: S303
            raise OtherKeyError(
                f"The signature of Travis CI does not hold; the delivery was not taken in. {_SET}"
            )
        said = _repository(payload)
        owner = said.partition("/")[0]
        if expected.signed_by.lower() not in (said.lower(), owner.lower()) or not owner:
            raise refuse("The build is of another owner or repository", _SET)


def _taken_apart(delivery: Delivery) -> tuple[bytes, str]:
    """The signature and what it is of."""
    try:
        signature = base64.b64decode(delivery.headers.get("Signature", ""), validate=True)
        payload = parse_qs(delivery.body.decode(), max_num_fields=100)["payload"][0]
    except (ValueError, KeyError, binascii.Error):
        raise refuse("The delivery is no signed form of Travis CI", _SET) from None
    if not signature:
        raise refuse("The delivery has no Signature header", _SET)
    return signature, payload


def _key_in(document: bytes) -> object:
    try:
        found = Part(document.decode()).parsed()
        text = found["config", "notifications", "webhook", "public_key"].exact() or ""
        return load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None


def _repository(payload: str) -> str:
    """owner/name as the signed payload says."""
    try:
        elements, _ = read_elements(Delivery(payload.encode()))
    except InputError:
        return ""
    if len(elements) != 1:
        return ""
    said = elements[0][1]["repository"]
    owner, name = said["owner_name"].exact(), said["name"].exact()
    return f"{owner}/{name}" if owner and name else ""
