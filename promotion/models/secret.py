"""A text column kept encrypted at rest."""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

from promotion.exceptions import ThroughlineError


class SecretError(ThroughlineError):
    """A secret cannot be encrypted or read with the keys there are."""


def cipher() -> MultiFernet:
    """Encrypts with the first key of THROUGHLINE_ENCRYPTION_KEYS, reads with all of them."""
    if not settings.ENCRYPTION_KEYS:
        raise SecretError(
            "THROUGHLINE_ENCRYPTION_KEYS is not set, so secrets can neither be kept nor read. Set it and start again."
        )
    return _cipher_of(tuple(settings.ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def _cipher_of(keys: tuple[str, ...]) -> MultiFernet:
    """Made once: each delivery reads its sender's secret."""
    return MultiFernet([Fernet(key) for key in keys])


class SecretField(models.TextField):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Plain text in Python, Fernet ciphertext in the database."""

    def get_prep_value(self, value: str | None) -> str | None:
        """Encrypts what is written."""
        return value if not value else cipher().encrypt(value.encode()).decode()

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        """Decrypts what is read."""
        if not value:
            return value
        try:
            return cipher().decrypt(value.encode()).decode()
        except InvalidToken as error:
            raise SecretError(
                "A stored secret was encrypted with a key that THROUGHLINE_ENCRYPTION_KEYS no longer names."
                " Add the old key after the new one."
            ) from error
