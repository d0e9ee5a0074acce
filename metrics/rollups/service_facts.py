"""The facts of one service, and what made them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Model

from metrics.facts import Clocks

NO_SERVICE = 0
VERSION = "1"  # of what facts hold; another one makes all of them anew


@dataclass(slots=True)
class ServiceFacts:
    """The facts of a service (0: of none) as known at a time, not saved."""

    service_key: int
    at: datetime
    clocks: Clocks = field(default_factory=lambda: Clocks(None, None))
    tracked_since: datetime | None = None
    has_any: bool = False
    has_mapped: bool = False
    has_unmapped: bool = False
    size: int = 0
    rows: dict[type[Model], list[Any]] = field(default_factory=dict)

    def of(self, model: type[Model]) -> list[Any]:
        """The facts of one kind."""
        return self.rows.get(model, [])


def made_by() -> str:
    """What facts made now would be made by: the version of their form, and the reporting zone."""
    return f"{VERSION} {settings.TIME_ZONE}"
