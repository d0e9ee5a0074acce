"""Notes that other applications offer for the page of a promotion, by name in the settings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from promotion.models import Promotion


@dataclass(frozen=True, slots=True)
class Note:
    """A status, a title and a sentence, with the page that tells more."""

    status: str
    title: str
    sentence: str
    url: str


def offered_notes(promotion: Promotion) -> list[Note]:
    """All of them, in the order of the settings."""
    found: list[Note] = []
    for path in settings.OFFERED_NOTES:
        write = cast(Callable[[Promotion], list[Note]], import_string(path))
        found += write(promotion)
    return found
