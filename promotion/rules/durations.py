"""Lengths of time as people write them in a pipeline: 30s, 15m, 1h30m, 7d, 2w."""

import re
from datetime import timedelta

from promotion.exceptions import InputError

_SECONDS = {"w": 7 * 86_400, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_WRITTEN = re.compile("".join(rf"(?:(\d{{1,9}}){unit})?" for unit in _SECONDS), re.ASCII)


def parse_duration(text: str) -> timedelta:
    """Read whole numbers with w, d, h, m, s, largest first and each once; InputError otherwise."""
    match = _WRITTEN.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or not any(match.groups()):
        raise InputError(
            f"{text!r} is not a length of time; write whole numbers with w, d, h, m or s,"
            " the largest first, such as 30s, 15m, 1h30m or 7d."
        )
    amounts = (int(amount or 0) for amount in match.groups())
    seconds = sum(a * s for a, s in zip(amounts, _SECONDS.values(), strict=True))
    try:
        return timedelta(seconds=seconds)
    except OverflowError as error:
        raise InputError(f"{text!r} is too long a time; write a shorter one.") from error
