"""The demonstration's targets and assessments without the rest of its history."""

from datetime import datetime, timedelta

from demo.assessing import add_assessments
from demo.organisation import make_catalog
from demo.people import make_people
from demo.targets import add_targets
from demo.timeline import Timeline


def tell_assessments(now: datetime, days: int = 120) -> Timeline:
    """Each act in the order of time, as the load does them."""
    timeline = Timeline(now - timedelta(days=days), now)
    make_catalog([])
    make_people(timeline.begins_at)
    add_targets(timeline)
    add_assessments(timeline)
    for act in timeline.in_order():
        act.do()
    return timeline
