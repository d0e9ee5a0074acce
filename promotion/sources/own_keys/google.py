"""Pub/Sub push with an identity token: a JSON Web Token in `Authorization`, RS256.

Format: cloud.google.com/pubsub/docs/authenticate-push-subscriptions. The token does not speak of
the body: it proves the service account that the subscription pushes as.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from promotion.sources.base import Delivery

from .base import Expected, KeysUnreadableError, OtherKeyError, refuse

_ISSUERS = ("https://accounts.google.com", "accounts.google.com")
_LEEWAY = timedelta(minutes=1)
_LONGEST_TOKEN = 8000
_SET = (
    "Choose authentication at the push subscription, with the service account named here and the"
    " hook's address as audience."
)


@dataclass(frozen=True, slots=True)
class GoogleToken:
    """The identity token of a service account."""

    keys: str = "https://www.googleapis.com/oauth2/v3/certs"
    asks: str = "Service account of the push subscription"
    hint: str = (
        "Its mail address. At the subscription enable authentication with this account and give the"
        " hook's address, without anything after it, as audience."
    )

    def is_name(self, text: str) -> bool:
        """A mail address."""
        return re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text) is not None

    def keys_at(self, delivery: Delivery, expected: Expected) -> str:
        """Google's own keys."""
        _token_of(delivery)  # without any there is nothing to fetch keys for
        return self.keys

    def check(self, delivery: Delivery, keys: bytes, expected: Expected, now: datetime) -> None:
        """Algorithm, key, signature, issuer, audience, account and time."""
        token = _token_of(delivery)
        try:
            known = jwt.PyJWKSet.from_json(keys.decode())
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError):
            raise KeysUnreadableError(self.keys) from None
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise refuse("The identity token cannot be read", _SET) from None
        key = next((one for one in known.keys if one.key_id == key_id), None)
        if key is None:
            raise OtherKeyError(
                "The identity token is signed by none of Google's keys; the delivery was not taken"
                f" in. {_SET}"
            )
        claims = _claims(token, key, expected.address)
        if claims.get("email") != expected.signed_by or claims.get("email_verified") is not True:
            raise refuse("The identity token is of another service account", _SET)
        _check_time(claims, now)


def _token_of(delivery: Delivery) -> str:
    word, _, token = delivery.headers.get("Authorization", "").strip().partition(" ")
    if word.lower() != "bearer" or token.count(".") != 2 or len(token) > _LONGEST_TOKEN:
        raise refuse("The delivery carries no identity token of Google", _SET)
    return token.strip()


def _claims(token: str, key: jwt.PyJWK, address: str) -> dict[str, object]:
    """What the token says once its signature holds; times are checked by who has the clock."""
    options: jwt.types.Options = {
        "require": ["iss", "aud", "exp", "iat"],
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
    }
    try:
        found: dict[str, object] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=address,
            issuer=list(_ISSUERS),
            options=options,
        )
    except jwt.InvalidAudienceError:
        raise refuse(f"The identity token is not meant for {address}", _SET) from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise refuse("The identity token's signature does not hold", _SET) from None
    return found


def _check_time(claims: dict[str, object], now: datetime) -> None:
    said = [claims.get("iat"), claims.get("exp")]
    try:
        begins, ends = (datetime.fromtimestamp(int(str(one)), UTC) for one in said)
    except (ValueError, OverflowError, OSError):
        raise refuse("The identity token has no readable time") from None
    if not begins - _LEEWAY <= now <= ends + _LEEWAY:
        raise refuse(
            "The identity token has expired or is not valid yet",
            "If nobody sent it again, set the clocks.",
        )
