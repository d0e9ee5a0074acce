"""Whether a delivery is of its sender: by the secret, or by the tool's own signature where that is set."""

from datetime import datetime

from django.conf import settings

from promotion.integrity.published_keys import read_keys
from promotion.models import Sender
from promotion.sources.base import Delivery, Source
from promotion.sources.own_keys.base import Expected, KeysUnreadableError, OtherKeyError
from promotion.sources.own_keys.known import OWN_KEYS

NEWEST = 60.0  # seconds; a wrong signature makes us fetch keys no more often


def prove_delivery(sender: Sender, source: Source, delivery: Delivery, *, at: datetime) -> None:
    """Returns once it is proven.

    AuthenticationError where it is not; UnreachableError where the tool's keys cannot be fetched,
    so that nobody can say. Where the signature is set nothing else is a proof.
    """
    own = OWN_KEYS.get(sender.kind) if sender.signed_by else None
    if own is None:
        return source.authenticate(delivery, sender.secrets_at(at), at)
    expected = Expected(sender.signed_by, f"{settings.PUBLIC_URL}/hooks/{sender.slug}")
    address = own.keys_at(delivery, expected)
    try:
        own.check(delivery, read_keys(address), expected, at)
    except (OtherKeyError, KeysUnreadableError):
        # They may have changed theirs since.
        own.check(delivery, read_keys(address, no_older_than=NEWEST), expected, at)
    return None
