"""What the flow of a period is told in: parts, costs, lead time, weeks, strategies, controls, hands, open work."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from metrics.measures.flow import PARTS
from metrics.measures.periods import Period
from metrics.statistics import Interval, wilson
from promotion.models import Promotion


@dataclass(frozen=True, slots=True)
class Parts:
    """Of promotions that ended: how many, and the mean seconds of each part."""

    n: int
    means: dict[str, float]

    @property
    def lead(self) -> float:
        """The mean seconds from asking to the end."""
        return sum(self.means.values())


def add_days(rows: Iterable[Mapping[str, Any]]) -> Parts:
    """The means over sums of days: each with `n` and, by name, the seconds of its parts."""
    found = list(rows)
    n = sum(row["n"] for row in found)
    return Parts(n, {name: sum(row[name] for row in found) / n if n else 0.0 for name in PARTS})


@dataclass(frozen=True, slots=True)
class Cost:
    """What a gate or an approval rule cost in a period, in seconds over all promotions it held."""

    gate: str
    rule: str
    promotions: int
    held: float
    alone: float
    closed: int
    passed: int
    rejected: int
    expired: int
    cancelled: int

    @property
    def caught(self) -> int:
        """How many ended without a start while it held them."""
        return self.rejected + self.expired + self.cancelled


@dataclass(frozen=True, slots=True)
class Lead:
    """From asking to success, in seconds; a percentile is None where n is too small for it."""

    n: int
    percentiles: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class Week:
    """One bucket of throughput: production deployments and releases asked for; zero counts."""

    period: Period
    deployments: int
    intents: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one rollout strategy, over promotions that started."""

    strategy: str
    n: int
    succeeded: int
    ended_badly: int
    failed_later: int
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Control:
    """How promotions that started stood to one control."""

    control: str
    met: int
    excepted: int
    glass: int
    missed: int

    @property
    def n(self) -> int:
        """All that were to meet it."""
        return self.met + self.excepted + self.glass + self.missed

    @property
    def interval(self) -> Interval | None:
        """Wilson, of the share met."""
        return wilson(self.met, self.n) if self.n else None


@dataclass(frozen=True, slots=True)
class Hands:
    """Work by hand over promotions that started: sums, and how many had any."""

    n: int
    manual_steps: int
    hand_offs: int
    with_manual: int


@dataclass(frozen=True, slots=True)
class OpenWork:
    """Promotions open at the as-of by age, the oldest, and builds that wait for production by age."""

    by_age: tuple[int, ...]
    oldest: tuple[Promotion, ...]
    builds_by_age: tuple[int, ...]

    @property
    def n(self) -> int:
        """All open promotions."""
        return sum(self.by_age)
