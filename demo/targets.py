"""What Meridian Freight wants of its measures: for everybody, and more where a team can do more."""

from datetime import datetime, timedelta
from functools import partial

from demo import acting
from demo.timeline import Timeline, working_time
from metrics.actions.set_target import NewTarget, set_target

# Days after the history's beginning, who sets it, and what: per cent, or hours to production.
TARGETS = (
    (1, "ines", NewTarget("automated_share", 80)),
    (1, "ines", NewTarget("first_pass", 85)),
    (1, "ines", NewTarget("build_to_production", 96)),
    (1, "ines", NewTarget("traceability", 80)),
    (1, "ines", NewTarget("failures", 15)),
    (8, "priya", NewTarget("build_to_production", 48, team="shipping-core")),
    (8, "priya", NewTarget("automated_share", 95, team="shipping-core")),
    # The first aim for incidents and rollbacks proved too easy.
    (22, "ines", NewTarget("failures", 10)),
)


def add_targets(timeline: Timeline) -> None:
    """Each is set by who may set it; the one it replaces stays on record."""
    for number, (days, username, target) in enumerate(TARGETS):
        at = working_time(timeline.begins_at + timedelta(days=days, minutes=2 * number))
        timeline.add(at, partial(_set_target, username, target, at=at))


def _set_target(username: str, target: NewTarget, *, at: datetime) -> None:
    set_target(target, person=acting.person_named(username), at=at)
