"""What recording one fact came to."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import models

from promotion.models import Environment, Event, Service
from promotion.sources.base import Fact

from .mapping import Placed, Placer


@dataclass(frozen=True, slots=True)
class Taking:
    """One fact being taken in: the event it came with, when that was received, and its place."""

    event: Event
    fact: Fact
    placed: Placed = None  # type: ignore[assignment]  # found where it is not given
    is_from_registry: bool = False  # no sender said so; we asked

    def __post_init__(self) -> None:
        if self.placed is None:
            object.__setattr__(self, "placed", Placer(self.event.sender_id).place(self.fact))

    @property
    def service(self) -> Service | None:
        """Of the catalog, where one was found."""
        return self.placed.service

    @property
    def environment(self) -> Environment | None:
        """Of the catalog, where one was found."""
        return self.placed.environment

    @property
    def received_at(self) -> datetime:
        """Our clock."""
        return self.event.received_at

    @property
    def happened_at(self) -> datetime:
        """The sender's clock, ours where it is silent."""
        fact = self.fact
        return fact.occurred_at or fact.finished_at or fact.started_at or self.received_at


@dataclass(slots=True)
class Recorded:
    """What a fact became: created, updated, unchanged or nothing; with the row, the service touched, and why."""

    became: str
    row: models.Model | None = None
    service: Service | None = None
    note: str = ""
    is_unmapped: bool = False
    more: list[str] = field(default_factory=list)


def fit(model: type[models.Model], column: str, text: str | None) -> str:
    """The text cut to what the column holds; senders know nothing of our columns."""
    limit = getattr(model._meta.get_field(column), "max_length", None)
    return (text or "").replace("\x00", "")[:limit]


def nothing(note: str, *, is_unmapped: bool = False) -> Recorded:
    """It became nothing, and why."""
    return Recorded("nothing", note=note, is_unmapped=is_unmapped)
