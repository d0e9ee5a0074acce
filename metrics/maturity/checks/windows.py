"""The days a check looks at: 90, widened until they hold enough to say anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from metrics.maturity.checks.acts import Act, find_acts, find_executions
from metrics.maturity.checks.facts import CheckFacts
from metrics.maturity.model import Window
from metrics.measures.executions import Execution
from metrics.measures.periods import Span


@dataclass(frozen=True)
class CheckWindow:
    """Some days up to a time, with the promotions carried out and production deployments in them.

    `parameters` are those of the check that looks at it.
    """

    days: int
    span: Span
    acts: tuple[Act, ...]
    executions: tuple[Execution, ...]
    parameters: Mapping[str, int] = field(default_factory=dict)

    @property
    def promotions(self) -> int:
        """How many promotions of ours started in it."""
        return sum(act.promotion is not None for act in self.acts)


Enough = Callable[[CheckWindow, Window], bool]


def has_enough(window: CheckWindow, needed: Window) -> bool:
    """Enough promotions, or enough production deployments."""
    return window.promotions >= needed.promotions or has_deployments(window, needed)


def has_deployments(window: CheckWindow, needed: Window) -> bool:
    """Enough production deployments: what a figure that counts only them needs."""
    return len(window.executions) >= needed.production_deployments


def open_window(facts: CheckFacts, days: int) -> CheckWindow:
    """The days up to the time the facts are known at; that time belongs to it."""
    ends_at = facts.at + timedelta(microseconds=1)
    span = Span(facts.at - timedelta(days=days), ends_at)
    return CheckWindow(days, span, find_acts(facts, span), find_executions(facts, span))


def cut_span(ends_at: datetime, days: int, count: int) -> tuple[Span, ...]:
    """So many spans of so many days, one after another up to a time, the oldest first."""
    length = timedelta(days=days)
    return tuple(
        Span(ends_at - (back + 1) * length, ends_at - back * length)
        for back in reversed(range(count))
    )
