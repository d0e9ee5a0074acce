"""Who looks at the measures: the teams that have them on a screen, and those that ask each month."""

from datetime import datetime, timedelta
from functools import partial

from demo import acting
from demo.timeline import Timeline, working_time
from metrics.actions.note_view import note_view

# The person, and every how many days: Shipping core on Mondays, Pricing now and then.
LOOKS = (("tomasz", 7), ("amara", 24))
PAGE = "measures"


def add_looks(timeline: Timeline) -> None:
    """Each looks in the morning; nothing else comes of it."""
    for username, days in LOOKS:
        at = timeline.begins_at + timedelta(days=days)
        while at < timeline.ends_at:
            morning = working_time(at)
            if morning < timeline.ends_at:
                timeline.add(morning, partial(_look, username, at=morning))
            at += timedelta(days=days)


def _look(username: str, *, at: datetime) -> None:
    note_view(PAGE, person=acting.person_named(username), at=at)
