"""Many teams side by side."""

from metrics.maturity.teams import Spread, TeamStanding, summarise_teams


def stand(
    team: str, overall: int, promotions: int, *, process: int | None = None, is_stale: bool = False
) -> TeamStanding:
    return TeamStanding(team, {"process": process or overall}, overall, is_stale, promotions)


def test_teams_are_counted_per_level_and_never_averaged() -> None:
    summary = summarise_teams(
        [stand("a", 1, 5, process=4), stand("b", 2, 5), stand("c", 3, 5), stand("d", 5, 5)],
        ["process"],
        5,
    )
    assert summary.overall == Spread({1: 1, 2: 1, 3: 1, 4: 0, 5: 1}, median=2, lowest=1)
    assert summary.categories["process"] == Spread({1: 0, 2: 1, 3: 1, 4: 1, 5: 1}, 3, 2)


def test_the_share_of_promotions_goes_by_the_level_of_the_team_that_made_them() -> None:
    summary = summarise_teams([stand("a", 2, 60), stand("b", 3, 30), stand("c", 4, 10)], [], 5)
    assert (summary.promotions_by_defined_teams, summary.production_promotions) == (40, 100)
    assert summary.defined_share == 0.4


def test_stale_teams_are_named() -> None:
    summary = summarise_teams(
        [stand("z", 2, 1, is_stale=True), stand("b", 2, 1), stand("a", 4, 1, is_stale=True)], [], 5
    )
    assert summary.stale == ("a", "z")


def test_without_teams_or_promotions_there_is_nothing_and_not_zero() -> None:
    summary = summarise_teams([], ["process"], 2)
    assert summary.overall == summary.categories["process"] == Spread({1: 0, 2: 0}, None, None)
    assert summary.defined_share is None
