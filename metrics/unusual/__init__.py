"""From facts and sums to what is unusual about a service, a sender, a promotion, or all together."""

from .candidates import Candidate, Scope
from .promotions import find_slow
from .series import find_in_series
from .silences import find_silent_senders, find_silent_service

__all__ = [
    "Candidate",
    "Scope",
    "find_in_series",
    "find_silent_senders",
    "find_silent_service",
    "find_slow",
]
