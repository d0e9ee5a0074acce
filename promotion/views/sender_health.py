"""How a sender is doing: its last delivery, what of it broke, and whether it is unusually silent."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from promotion.formats import format_span
from promotion.models import Event, Sender
from promotion.rules.silence import Silence, measure_silence

BROKEN = (Event.State.UNREADABLE, Event.State.ERRORED)
LOOKED_AT = 200
COUNTED = 100
# Of all senders together; whoever sends more seldom is judged on its own page.
NEWEST = 20_000

Told = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Health:
    """What the pages say of a sender's deliveries."""

    broken: int
    counted: int
    silence: Silence | None

    @property
    def share_broken(self) -> float | None:
        """Of the last hundred; None where there is none."""
        return self.broken / self.counted if self.counted else None

    @property
    def silence_sentence(self) -> str:
        """Where the silence is unusual, how unusual; else nothing."""
        if self.silence is None or not self.silence.is_unusual:
            return ""
        return (
            f"Silent for {format_span(self.silence.lasted)}; 99 of 100 of its gaps are within"
            f" {format_span(self.silence.usual)}."
        )


def read_health(at: datetime) -> dict[int, Health]:
    """Of all senders, in two queries whose cost does not grow with the table."""
    newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    ranked = (
        Event.objects.filter(pk__gt=newest - NEWEST)
        .exclude(sender=None)
        .annotate(
            place=Window(
                RowNumber(),
                partition_by=["sender"],
                order_by=[F("received_at").desc(), F("pk").desc()],
            )
        )
        .filter(place__lte=LOOKED_AT)
        .order_by("place")
    )
    told: dict[int, list[Told]] = defaultdict(list)
    for sender, received_at, state in ranked.values_list("sender_id", "received_at", "state"):
        told[sender].append((received_at, state))
    return {sender: judge(rows, at) for sender, rows in told.items()}


def read_health_of(sender: Sender, at: datetime) -> Health:
    """Of one sender."""
    rows = Event.objects.filter(sender=sender).newest_first().values_list("received_at", "state")
    return judge(list(rows[:LOOKED_AT]), at)


def judge(rows: Sequence[Told], at: datetime) -> Health:
    """From its newest deliveries, newest first."""
    last = rows[:COUNTED]
    broken = sum(1 for _, state in last if state in BROKEN)
    return Health(broken, len(last), measure_silence([time for time, _ in rows], at))
