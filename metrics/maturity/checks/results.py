"""What a figure counts, and what a check answers with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from metrics.maturity.values import Answer, Measured


@dataclass(frozen=True, slots=True)
class Page:
    """Where to read of something: the name of an address and what it takes; no name, no page."""

    name: str = ""
    names: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing a figure counts. `good` says that it speaks for the team, whichever way is counted.

    `key` stays the same from day to day; `what` says in words what is wrong with it, where it
    is not good.
    """

    key: str
    service: str
    good: bool
    what: str = ""
    page: Page = Page()
    excused: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """What a figure counted.

    `value` is given where it is no share of the units: a count, or 1 and 0. `unmeasured` is the
    sentence that says why nothing can be said. `counts` says what the units are, where it is
    something else than the figure usually counts.
    """

    units: tuple[Unit, ...] = ()
    value: Fraction | None = None
    unmeasured: str = ""
    counts: str = ""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A unit that speaks against the statement; an excused one does not count."""

    key: str
    what: str
    page: Page
    excused: bool


@dataclass(frozen=True, slots=True)
class FigureValue:
    """One figure of a check: per cent, a count, or 1 and 0, with what it was made of."""

    name: str
    counts: str
    value: Fraction
    numerator: int
    denominator: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """What a check found. `verdict` None: not measurable, or insufficient data.

    `value` is that of the figure that decided (the lowest), in the check's unit. `covered` of
    `coverable` services had anything that was counted. `reason` says why there is no verdict.
    """

    statement_id: str
    window_days: int
    window_from: datetime
    window_to: datetime
    verdict: Answer | None
    value: Fraction | None
    numerator: int | None
    denominator: int
    n: int
    figures: tuple[FigureValue, ...]
    counterexamples: tuple[Counterexample, ...]
    covered: int
    coverable: int
    reason: str = ""
    is_insufficient: bool = False

    @property
    def measured(self) -> Measured | None:
        """The finding as the levels take it; None where it cannot be measured."""
        if self.verdict is not None:
            return Measured(self.verdict.value)
        return Measured.INSUFFICIENT if self.is_insufficient else None

    @property
    def counting(self) -> tuple[Counterexample, ...]:
        """The counterexamples that nobody excused."""
        return tuple(each for each in self.counterexamples if not each.excused)


def list_counterexamples(units: Iterable[Unit]) -> tuple[Counterexample, ...]:
    """The units that are not good, each once, in their order."""
    found: dict[str, Counterexample] = {}
    for unit in units:
        if not unit.good:
            found.setdefault(unit.key, Counterexample(unit.key, unit.what, unit.page, unit.excused))
    return tuple(found.values())
