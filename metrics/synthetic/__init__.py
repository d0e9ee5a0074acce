"""A production-shaped history of made-up services, straight into the tables; for benchmarks."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from metrics.rollups.inserting import reset_keys

from .history import ServiceHistory
from .places import PER_RELEASE, Size, make_places, make_service

__all__ = ["Size", "load_history"]


def load_history(size: Size, at: datetime) -> Iterator[int]:
    """Makes the history up to `at`, service by service; yields how many deployments each got."""
    places = make_places(size)
    releases = size.deployments / size.services / PER_RELEASE
    left = size.deployments
    for number in range(size.services):
        service = make_service(number, at - timedelta(days=size.days + 1))
        chance = random.Random(f"{size.seed} {number}")  # noqa: S311  # a made-up history
        several = max(1, round(releases * chance.uniform(0.5, 1.5)))
        if number == size.services - 1:
            several = max(1, round(left / PER_RELEASE))
        history = ServiceHistory(places, service, chance, at, size.days)
        made = history.make(several)
        left -= made
        yield made
    reset_keys(places.keys)
