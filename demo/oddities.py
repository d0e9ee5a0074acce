"""What also arrives: the inventory's daily look, a ping, events that fit nowhere, a low alert."""

from datetime import datetime, timedelta
from functools import partial

from demo import acting
from demo.organisation import SERVICE_BY_SLUG
from demo.payloads import number_of, write_pagerduty
from demo.timeline import Timeline
from promotion.sources.times import format_time

DAILY_FOR = timedelta(days=5)


def add_inventory(timeline: Timeline) -> None:
    """The clusters are looked at once a week, lately every day, and a moment ago."""
    at = timeline.begins_at + timedelta(days=2)
    times = []
    while at < timeline.ends_at - timedelta(hours=2):
        times.append(at)
        is_late = at > timeline.ends_at - DAILY_FOR - timedelta(days=7)
        at += timedelta(days=1 if is_late else 7)
    for time in (*times, timeline.ends_at - timedelta(minutes=4)):
        timeline.add(time, partial(_look_at_clusters, time))


def _look_at_clusters(at: datetime) -> None:
    facts = [
        {
            "kind": "observation",
            "service": service,
            "environment": "production",
            "target": target,
            "digest": digest,
            "occurred_at": format_time(at),
        }
        for (service, target), digest in sorted(acting.running_digests().items())
    ]
    if facts:
        acting.send("inventory", facts, at)


def add_strays(timeline: Timeline, slugs: list[str]) -> None:
    """Deliveries that become nothing, or not yet anything."""
    ends_at = timeline.ends_at
    ping = {"zen": "Keep it logically awesome.", "hook_id": 4711}
    at = timeline.begins_at + timedelta(hours=2)
    timeline.add(at, partial(acting.send, "github", ping, at, event="ping"))
    for hours in (200, 55, 7):
        at = ends_at - timedelta(hours=hours)
        if at < timeline.begins_at:
            continue
        fact = acting.write_rollout(
            "legacy-tms", "production", "eu-1", "", "succeeded",
            identity=f"legacy-{number_of(at.isoformat())}", began_at=at - timedelta(minutes=9),
            at=at, mechanism="manual", actor="leila",
        )  # fmt: skip
        timeline.add(at, partial(acting.send, "deploy-script", fact, at))
    at = ends_at - timedelta(hours=31)
    broken = b'{"kind": "deployment", "service": "billing-worker", "environment": '
    timeline.add(at, partial(acting.send, "deploy-script", broken, at))
    _add_low_alerts(timeline, slugs)


def _add_low_alerts(timeline: Timeline, slugs: list[str]) -> None:
    """PagerDuty tells of alerts that name no environment: they are suspected, and count not."""
    for number, slug in enumerate(
        slug for slug in slugs if SERVICE_BY_SLUG[slug].team != "pricing"
    ):
        opened_at = timeline.ends_at - timedelta(days=2 + number * 3.7, hours=number % 9)
        if number % 3 or opened_at < timeline.begins_at:
            continue
        incident = f"Q{number_of(slug):010X}"[:12]
        for event, at in (
            ("triggered", opened_at),
            ("resolved", opened_at + timedelta(minutes=35)),
        ):
            body = write_pagerduty(slug, "Disk fuller than 85 %", event, incident, at)
            timeline.add(at, partial(acting.send, "pagerduty", body, at))
