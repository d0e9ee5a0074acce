"""What people write with an act: words that are there, and links that are links."""

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from promotion.exceptions import InputError

LONGEST_LINK = 1000
_is_link = URLValidator(schemes=["http", "https"])


def check_words(text: str, what: str, longest: int, *, key: str = "reason") -> str:
    """The words, trimmed; InputError where there are none or too many, or none a database holds."""
    words = text.replace("\x00", "").strip()
    if not words or len(words) > longest:
        raise InputError(f"{what} of at most {longest} characters. Nothing was changed.", key=key)
    return words


def check_link(text: str, key: str, what: str, *, is_needed: bool = True) -> str:
    """The link, trimmed; InputError where it is none, or missing although it is needed."""
    link = text.strip()
    if not link and not is_needed:
        return ""
    try:
        _is_link(link)
    except ValidationError:
        link = ""
    if not link or len(link) > LONGEST_LINK:
        raise InputError(
            f"Give a link to {what} that begins with https:// or http://. Nothing was changed.",
            key=key,
        )
    return link
