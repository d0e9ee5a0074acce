"""The maturity model as values: categories, levels and statements."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from metrics.maturity.values import Answer, Kind, Rule, scale_of
from promotion.exceptions import InputError


class CoverageUnit(StrEnum):
    """What a team counts when it says how far a statement covers its work."""

    SERVICES = "services"
    PROMOTIONS = "promotions"
    RELEASES = "releases"


class Unit(StrEnum):
    """What a check's figure is counted in; yes_or_no is 1 or 0."""

    PERCENT = "percent"
    COUNT = "count"
    YES_OR_NO = "yes_or_no"


class Better(StrEnum):
    """Which end of a check's figure is the good one."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Check:
    """How a statement is measured: named figures, of which the lowest is held to thresholds."""

    says: str
    figures: tuple[str, ...]
    unit: Unit
    better: Better
    thresholds: Mapping[Answer, int]
    parameters: Mapping[str, int]
    evidence_too: bool
    fully_when_none_in: int | None

    def rate(self, figure: Fraction | float) -> Answer:
        """Return the answer a figure stands for (percent 0 to 100, a count, or 1 and 0).

        A practice reaches a threshold by being at it. A symptom where lower is better is still
        true strictly above, and no longer true strictly below, its thresholds; where higher is
        better it is still true strictly below, and no longer true from, its thresholds.
        """
        if Answer.STILL_TRUE in self.thresholds:
            return self._rate_symptom(figure)
        reached = [answer for answer, least in self.thresholds.items() if figure >= least]
        return reached[-1] if reached else Answer.NOT

    def _rate_symptom(self, figure: Fraction | float) -> Answer:
        still_true, no_longer = (
            self.thresholds[Answer.STILL_TRUE],
            self.thresholds[Answer.NO_LONGER],
        )
        if self.better is Better.LOWER:
            is_over, is_true = figure < no_longer, figure > still_true
        else:
            is_over, is_true = figure >= no_longer, figure < still_true
        if is_over:
            return Answer.NO_LONGER
        return Answer.STILL_TRUE if is_true else Answer.SOMETIMES


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of the standard that a team answers."""

    id: str
    title: str
    text: str
    category: str
    level: int
    kind: Kind
    why: str
    coverage_unit: CoverageUnit
    na_allowed: bool
    caps_at: int | None
    superseded_by: str | None
    shown_by: str | None
    check: Check | None
    examples: Mapping[Answer, str]
    evidence: tuple[str, ...]

    @property
    def slug(self) -> str:
        """The id as a page may anchor it."""
        return self.id.replace(".", "-")

    @property
    def is_symptom(self) -> bool:
        """Tell whether the statement caps the level instead of earning it."""
        return self.kind is Kind.SYMPTOM

    @property
    def scale(self) -> tuple[Answer, ...]:
        """Return the answers the statement is rated by, worst first."""
        return scale_of(self.kind)


@dataclass(frozen=True, slots=True)
class Category:
    """One of the sides a team is looked at from; it has a level of its own."""

    id: str
    title: str
    asks: str


@dataclass(frozen=True, slots=True)
class Level:
    """One rung: its number, its name and what it means."""

    number: int
    title: str
    means: str


@dataclass(frozen=True, slots=True)
class Window:
    """How far back checks look (days, widened in turn) until they hold enough of either."""

    days: tuple[int, ...]
    promotions: int
    production_deployments: int


@dataclass(frozen=True, slots=True)
class MaturityModel:
    """A standard as data: what it asks, at which level, and how it is measured."""

    id: str
    version: str
    title: str
    purpose: str
    rule: Rule
    window: Window
    not_applicable_days: int
    categories: tuple[Category, ...]
    levels: tuple[Level, ...]
    statements: tuple[Statement, ...]
    _by_id: Mapping[str, Statement] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id = {statement.id: statement for statement in self.statements}
        object.__setattr__(self, "_by_id", by_id)

    @property
    def top_level(self) -> int:
        """Return the number of the highest level."""
        return self.levels[-1].number

    def has_statement(self, statement_id: str) -> bool:
        """Tell whether the model has a statement of this id."""
        return statement_id in self._by_id

    def get_statement(self, statement_id: str) -> Statement:
        """Return the statement of this id; InputError when the model has none."""
        if statement_id not in self._by_id:
            raise InputError(
                f"{statement_id!r} is no statement of {self.id} {self.version}. Nothing was "
                "derived; use an id of the model the assessment was made with.",
                key=statement_id,
            )
        return self._by_id[statement_id]

    def get_statements(self, category: str) -> tuple[Statement, ...]:
        """Return a category's statements in the order of the model."""
        return tuple(one for one in self.statements if one.category == category)
