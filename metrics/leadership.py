"""All teams' maturity at a time: what the leadership's page, its exports and the API show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Max
from django.db.models.functions import TruncMonth

from metrics.check_results import find_day
from metrics.maturity.landscape import (
    Calibration,
    Shared,
    calibrate,
    count_levels,
    find_blockers,
    find_shared,
)
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.model import MaturityModel
from metrics.maturity.teams import TeamsSummary, TeamStanding, summarise_teams
from metrics.maturity.values import Rule
from metrics.models import Assessment, Share, TeamLevel
from metrics.sharing import find_shares
from promotion.models import Promotion, Team, Tier
from promotion.rules.states import State

# An assessment is asked for each quarter; one that is older than this was left out.
STALE_AFTER = timedelta(days=120)
PROMOTIONS_OF = timedelta(days=90)
MONTHS = 12


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team with its newest level by the time, and what of it the reader may see."""

    team: Team
    share: Share
    level: TeamLevel | None
    promotions: int
    is_stale: bool

    @property
    def shares_answers(self) -> bool:
        """The reader sees its answers."""
        return self.share >= Share.ANSWERS


@dataclass(frozen=True, slots=True)
class Month:
    """Where teams stood at the end of a month, or now, and how claims matched facts then."""

    day: date
    claimed: tuple[int, ...]
    verified: tuple[int, ...]
    calibration: Calibration

    @property
    def teams(self) -> int:
        """How many had a level."""
        return sum(self.verified)


@dataclass(frozen=True, slots=True)
class Landscape:
    """Teams by name, never by level. What goes by statement counts only teams that share answers."""

    model: MaturityModel
    at: datetime
    rows: tuple[TeamRow, ...]
    summary: TeamsSummary
    production_promotions: int
    contradictions: tuple[Shared, ...]
    blockers: tuple[Shared, ...]
    calibration: Calibration
    months: tuple[Month, ...] = field(default=())

    @property
    def assessed(self) -> tuple[TeamRow, ...]:
        """The teams that have a level."""
        return tuple(row for row in self.rows if row.level is not None)

    @property
    def withholding(self) -> int:
        """How many teams with a level share levels only with the reader."""
        return sum(not row.shares_answers for row in self.assessed)

    @property
    def defined_share(self) -> float | None:
        """The share (0 to 1) of production promotions by teams verified at 3 or more.

        Of all production promotions, those of teams without a level too; None without any.
        """
        if not self.production_promotions:
            return None
        return self.summary.promotions_by_defined_teams / self.production_promotions


def find_landscape(person: Any, at: datetime) -> Landscape:
    """The landscape at a time as the person may see it; queries do not grow with teams."""
    model = load_shipped_model()
    teams = list(Team.objects.order_by("name"))
    shares, promotions = find_shares(teams, person), _count_promotions(at)
    newest = _find_newest(model, at)
    rows = tuple(
        _make_row(team, shares[team.pk], newest.get(team.pk), promotions.get(team.pk, 0), at)
        for team in teams
    )
    open_rows = {row.team.name: row.level for row in rows if row.level and row.shares_answers}
    return Landscape(
        model=model,
        at=at,
        rows=rows,
        summary=summarise_teams(
            [_stand(row, row.level) for row in rows if row.level],
            [category.id for category in model.categories],
            model.top_level,
        ),
        production_promotions=sum(promotions.values()),
        contradictions=find_shared(
            model, {name: level.result["contradicted"] for name, level in open_rows.items()}
        ),
        blockers=find_shared(
            model, {name: _block(model, level.result) for name, level in open_rows.items()}
        ),
        calibration=calibrate(level.result["statements"] for level in open_rows.values()),
        months=_find_months(
            model, at, {key for key, each in shares.items() if each >= Share.ANSWERS}
        ),
    )


def _make_row(
    team: Team, share: Share, level: TeamLevel | None, promotions: int, at: datetime
) -> TeamRow:
    agreed_at = level.assessment.agreed_at if level else None
    is_stale = agreed_at is not None and at - agreed_at > STALE_AFTER
    return TeamRow(team, share, level, promotions, is_stale)


def _stand(row: TeamRow, level: TeamLevel) -> TeamStanding:
    categories = level.result["verified"]["categories"]
    return TeamStanding(row.team.slug, categories, level.verified, row.is_stale, row.promotions)


def _block(model: MaturityModel, result: Mapping[str, Any]) -> tuple[str, ...]:
    return find_blockers(
        model, result["statements"], result["verified"]["categories"], Rule(result["rule"])
    )


def _find_newest(model: MaturityModel, at: datetime) -> dict[int, TeamLevel]:
    """Each team's newest level by a time, without what is not needed of it; two queries."""
    levels = TeamLevel.objects.filter(model_id=model.id, as_of__lte=at)
    days = dict(levels.order_by().values_list("team").annotate(last=Max("day")))
    rows = levels.filter(day__in=set(days.values())).select_related("assessment")
    found = {row.team_id: row for row in rows.order_by("day") if days[row.team_id] == row.day}
    return {key: row for key, row in found.items() if row.model_version == model.version}


def _count_promotions(at: datetime) -> dict[int, int]:
    """Production promotions that ended well in the last 90 days, by the key of the team."""
    rows = Promotion.objects.filter(
        environment__tier=Tier.PRODUCTION,
        state=State.SUCCEEDED.value,
        ended_at__gt=at - PROMOTIONS_OF,
        ended_at__lte=at,
    )
    return dict(rows.order_by().values_list("service__team").annotate(n=Count("pk")))


def _find_months(model: MaturityModel, at: datetime, open_teams: set[int]) -> tuple[Month, ...]:
    """The ends of the last twelve months, and now; a team keeps its level until the next.

    Two queries. Each month takes a team's last level of it, so days in between are not read.
    """
    since = _begin_month(find_day(at), MONTHS - 1)
    levels = TeamLevel.objects.filter(model_id=model.id, as_of__lte=at, day__gte=since)
    lasts = levels.order_by().annotate(month=TruncMonth("day")).values_list("team", "month")
    ends = {(team, last) for team, _, last in lasts.annotate(last=Max("day"))}
    rows = (
        levels.filter(day__in={day for _, day in ends})
        .order_by("day")
        .values_list("team", "day", "claimed", "verified", "result__statements")
    )
    by_month: dict[date, list[tuple[Any, ...]]] = {}
    for row in rows:
        if (row[0], row[1]) in ends:
            by_month.setdefault(row[1].replace(day=1), []).append(row)
    stands: dict[int, tuple[Any, ...]] = {}
    found = []
    for back in reversed(range(MONTHS)):
        month = _begin_month(find_day(at), back)
        stands |= {row[0]: row for row in by_month.get(month, [])}
        if stands:
            found.append(_close_month(model, month, stands, open_teams, at))
    return tuple(found)


def _close_month(
    model: MaturityModel,
    month: date,
    stands: Mapping[int, tuple[Any, ...]],
    open_teams: set[int],
    at: datetime,
) -> Month:
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    rows = stands.values()
    return Month(
        day=min(last, find_day(at)),
        claimed=count_levels([row[2] for row in rows], model.top_level),
        verified=count_levels([row[3] for row in rows], model.top_level),
        calibration=calibrate(row[4] for row in rows if row[0] in open_teams),
    )


def _begin_month(day: date, back: int) -> date:
    """The first day of the month so many months before that of a day."""
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def end_of_cycle(cycle: str) -> datetime | None:
    """When a quarter such as 2026-q4 is over, in the reporting zone; None for another form."""
    year, _, quarter = cycle.partition("-q")
    if not (len(year) == 4 and year.isascii() and year.isdigit() and quarter in set("1234")):
        return None
    months = int(year) * 12 + int(quarter) * 3
    if not 1 <= months // 12 <= 9998 or int(year) < 1970:
        return None
    first = date(months // 12, months % 12 + 1, 1)
    return datetime.combine(first, time.min, tzinfo=ZoneInfo(settings.TIME_ZONE))


def list_cycles() -> list[str]:
    """The quarters somebody assessed in, newest first; one query."""
    cycles = Assessment.objects.order_by("-cycle").values_list("cycle", flat=True).distinct()
    return list(cycles)[:8]
