"""The verified levels of many teams side by side: counts, never an average, never a ranking."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

# From this level on one build goes one way with one record: what leadership wants to know of.
DEFINED_LEVEL = 3


@dataclass(frozen=True, slots=True)
class TeamStanding:
    """One team's latest verified levels, and how many production promotions it made."""

    team: str
    categories: Mapping[str, int]
    overall: int
    is_stale: bool
    production_promotions: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How teams are spread over the levels; median and lowest are None without teams.

    The median is a level that exists: of an even number of teams it is the lower middle one.
    """

    teams_per_level: Mapping[int, int]
    median: int | None
    lowest: int | None


@dataclass(frozen=True, slots=True)
class TeamsSummary:
    """Spreads for overall and each category, stale teams, and promotions by defined teams."""

    overall: Spread
    categories: Mapping[str, Spread]
    stale: tuple[str, ...]
    promotions_by_defined_teams: int
    production_promotions: int

    @property
    def defined_share(self) -> float | None:
        """Return the share (0 to 1) of production promotions made by teams verified at 3 or more.

        None when there were no production promotions.
        """
        if not self.production_promotions:
            return None
        return self.promotions_by_defined_teams / self.production_promotions


def summarise_teams(
    standings: Sequence[TeamStanding], categories: Iterable[str], top_level: int
) -> TeamsSummary:
    """Return how teams stand (levels 1 to `top_level`), each category by its id.

    KeyError when a team lacks one of the categories.
    """
    return TeamsSummary(
        overall=_spread([one.overall for one in standings], top_level),
        categories={
            category: _spread([one.categories[category] for one in standings], top_level)
            for category in categories
        },
        stale=tuple(sorted(one.team for one in standings if one.is_stale)),
        promotions_by_defined_teams=sum(
            one.production_promotions for one in standings if one.overall >= DEFINED_LEVEL
        ),
        production_promotions=sum(one.production_promotions for one in standings),
    )


def _spread(levels: Sequence[int], top_level: int) -> Spread:
    return Spread(
        teams_per_level={level: levels.count(level) for level in range(1, top_level + 1)},
        median=median_low(levels) if levels else None,
        lowest=min(levels, default=None),
    )
