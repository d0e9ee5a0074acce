"""What may become an anomaly: all that its row says, before it is known whether it is new."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from promotion.models import Service

THROUGHPUT, DURATION, QUIET = "throughput", "promotion_duration", "silence"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose series it is: a service's, or without one that of all together."""

    service: Service | None = None

    @property
    def key(self) -> str:
        """How keys begin."""
        return f"service-{self.service.pk}" if self.service else "all"

    @property
    def whose(self) -> str:
        """How a sentence names it."""
        return self.service.slug if self.service else "all services together"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One finding of a rule. `family` and the first day are its identity, or `unit` where it has one.

    `happened_at` is when what it is about was over: what is long past is no news.
    """

    family: str
    measure: str
    rule: str
    sentence: str
    is_worse: bool | None
    first_day: date
    last_day: date
    happened_at: datetime
    rows: str
    details: dict[str, Any] = field(default_factory=dict)
    unit: str = ""
    service: int | None = None
    environment: int | None = None
    sender: int | None = None
    promotion: int | None = None

    @property
    def key(self) -> str:
        """The same for the same finding, however often it is computed."""
        return f"{self.family}:{self.unit or self.first_day.isoformat()}"[:200]
