"""What counts as a deployment execution, and what is counted beside it."""

from datetime import UTC, datetime
from typing import Any


def shares(story: Any, **more: Any) -> Any:
    return story.ask(**more)["automated_share"]


def test_a_failure_in_between_makes_the_same_digest_a_deployment_again(story: Any) -> None:
    story.deploy("d1", "A", 1)
    story.deploy("d2", "B", 2, result="failed")
    story.deploy("d3", "A", 3)

    assert [row.unit for row in shares(story).rows] == ["d1", "d2", "d3"]


def test_a_restart_is_counted_beside(story: Any) -> None:
    story.deploy("d1", "A", 1)
    story.deploy("d2", "A", 2)

    result = shares(story)

    assert result.n == 1
    assert result.beside.restarts == ("d2",)


def test_another_configuration_of_the_same_digest_is_no_restart(story: Any) -> None:
    story.deploy("d1", "A", 1, config_digest="x")
    story.deploy("d2", "A", 2, config_digest="y")
    story.deploy("d3", "A", 3, config_digest="y")
    story.deploy("d4", "A", 4)

    assert shares(story).beside.restarts == ("d3", "d4")


def test_two_deployments_of_a_digest_at_one_instant_do_not_exclude_each_other(story: Any) -> None:
    story.deploy("d1", "A", 1, took=0)
    story.deploy("d2", "A", 1, took=0)

    assert shares(story).n == 1


def test_a_restart_is_judged_target_by_target(two_targets: Any) -> None:
    two_targets.deploy("d1", "A", 1, target="eu")
    two_targets.deploy("d2", "A", 2, target="us")
    two_targets.deploy("d3", "A", 3, target="eu")

    result = shares(two_targets)

    assert result.n == 2
    assert result.beside.restarts == ("d3",)


def test_a_deployment_without_a_target_concerns_them_all(two_targets: Any) -> None:
    two_targets.deploy("d1", "A", 1)
    two_targets.observe("o1", "A", 2, target="eu")
    two_targets.deploy("d2", "B", 3)
    two_targets.observe("o2", "B", 4, target="us")
    two_targets.observe("o3", "A", 5, target="us")

    assert [row.unit for row in shares(two_targets).rows] == ["d1", "d2", "o3"]


def test_what_is_seen_first_on_a_target_is_where_it_starts(story: Any) -> None:
    story.observe("o1", "A", 1)
    story.deploy("d1", "A", 2)
    story.deploy("d2", "B", 3)

    result = shares(story)

    assert [row.unit for row in result.rows] == ["d2"]
    assert result.beside.restarts == ("d1",)


def test_two_digests_seen_first_at_one_instant_are_both_starting_points(story: Any) -> None:
    story.observe("o1", "A", 1)
    story.observe("o2", "B", 1)

    assert shares(story).n == 0


def test_a_started_promotion_explains_what_is_seen(story: Any) -> None:
    story.deploy("d1", "A", 1)
    story.promote("p1", "B", 2, 2)
    story.observe("o1", "B", 3)
    story.observe("o2", "C", 4)
    story.observe("o3", "B", 5)

    assert [row.unit for row in shares(story).rows] == ["d1", "o2"]


def test_a_deployment_under_way_explains_what_is_seen(story: Any) -> None:
    story.deploy("d1", "A", 1)
    story.deploy("d2", "B", 2, finished_at=None, result=None)
    story.observe("o1", "B", 3)

    assert [row.unit for row in shares(story).rows] == ["d1"]


def test_an_old_digest_seen_again_is_a_deployment_out_of_band(story: Any) -> None:
    story.deploy("d1", "A", 1)
    story.deploy("d2", "B", 2)
    story.observe("o1", "A", 3)

    results = story.ask()

    assert [row.verdict for row in results["automated_share"].rows] == ["out_of_band"] * 3
    assert [row.unit for row in results["failures"].rows if row.good] == ["d2"]


def test_a_deployment_of_another_digest_than_its_promotion_stands_alone(story: Any) -> None:
    story.deploy("s1", "A", 0.1, took=0.1, environment="staging")
    story.promote("p1", "A", 1, 1, 3)
    story.deploy("d1", "A", 1, promotion="p1")
    story.deploy("d2", "B", 2, promotion="p1")
    story.deploy("d3", "C", 3, promotion="nobody")

    verdicts = {row.unit: row.verdict for row in shares(story).rows}

    assert verdicts == {"d1": "automated", "d2": "out_of_band", "d3": "out_of_band"}


def test_the_steps_of_a_promotion_are_one_execution_named_by_its_first(two_targets: Any) -> None:
    two_targets.promote("p1", "A", 1, 1, 5)
    two_targets.deploy("d-us", "A", 1, target="us", took=3, promotion="p1")
    two_targets.deploy("d-eu-1", "A", 1, target="eu", result="failed", promotion="p1")
    two_targets.deploy("d-eu-2", "A", 2, target="eu", promotion="p1")

    (row,) = shares(two_targets).rows

    assert row.unit == "d-eu-1"
    assert row.ids == ("d-eu-1", "d-eu-2", "d-us")
    assert (row.finished_at - row.started_at).total_seconds() == 3 * 3600


def test_facts_that_end_before_they_start_are_quarantined(story: Any) -> None:
    story.deploy("d1", "A", 5, took=-1)
    story.promote("p1", "A", 5, 5, 4)
    story.incident("i1", 5, 4)

    results = story.ask()

    assert results["failures"].beside.quarantined == ("d1", "i1", "p1")
    assert all(result.n == 0 for result in results.values())


def test_a_fact_of_an_unknown_place_is_in_no_measure(story: Any) -> None:
    story.deploy("d1", "A", 1, environment="moon")
    story.build("A", 1, service="nobody")

    result = shares(story)

    assert result.beside.unmapped == ("b-A-1", "d1")
    assert result.no_data.startswith("No mapping")


def test_dry_runs_are_counted_beside(story: Any) -> None:
    story.deploy("d1", "A", 1, dry_run=True)

    assert shares(story).beside.dry_runs == ("d1",)
    assert shares(story).n == 0


def test_a_platform_digest_counts_as_its_index(story: Any) -> None:
    story.platforms = {"A-arm64": "A"}
    story.build("A", 0)
    story.deploy("d1", "A", 1)
    story.observe("o1", "A-arm64", 2)
    story.deploy("d2", "A-arm64", 3)

    assert [row.unit for row in shares(story).rows] == ["d1"]


def test_what_comes_a_day_late_is_counted_as_backfilled(story: Any) -> None:
    story.deploy("d1", "A", 1, received_at=datetime(2025, 6, 2, 1, 30, tzinfo=UTC))
    story.deploy("d2", "B", 2, received_at=datetime(2025, 6, 2, 2, 31, tzinfo=UTC))

    assert shares(story).beside.backfilled == ("d2",)


def test_a_voided_fact_still_stands_as_of_the_time_before(story: Any) -> None:
    story.deploy("d1", "A", 1)
    story.void("d1", 10)

    assert shares(story, as_of=9).n == 1
    assert shares(story, as_of=10).n == 0


def test_a_correction_of_one_kind_leaves_the_same_id_of_another(story: Any) -> None:
    story.build("A", 1)
    story.deploy("b-A-1", "A", 2)
    story.void("b-A-1", 10, kind="build")

    results = story.ask()

    assert results["automated_share"].n == 1
    assert results["traceability"].missing["build"] == 1


def test_two_artifacts_of_a_service_do_not_replace_each_other(story: Any) -> None:
    story.deploy("d1", "A", 1, artifact="api")
    story.deploy("d2", "M", 2, artifact="jobs")
    story.deploy("d3", "A", 3, artifact="api")

    result = shares(story)

    assert result.n == 2
    assert result.beside.restarts == ("d3",)
