"""What each key measure says beyond its headline, rule by rule."""

from datetime import UTC, datetime
from typing import Any

import pytest

from metrics.measures import automated_share, traceability
from metrics.measures.base import (
    ApprovalFact,
    PipelineFact,
    ReleaseFact,
    ServiceFact,
    StageFact,
)


def details(row: Any) -> dict[str, Any]:
    return dict(row.details)


# 1 automated share


def test_ours_and_other_tools_are_told_apart(story: Any) -> None:
    for digest, at in (("A", 1), ("B", 3)):
        story.deploy(f"s-{digest}", digest, at, environment="staging")
    story.promote("p1", "A", 2, 2, 3)
    story.deploy("d1", "A", 2, promotion="p1")
    story.deploy("d2", "B", 4, mechanism="automated")

    result = story.ask()["automated_share"]

    assert (result.automated, result.automated_by_us, result.automated_by_others) == (2, 1, 1)


def test_what_was_seen_in_staging_is_proven_there(story: Any) -> None:
    story.deploy("s1", "Z", 0.1, environment="staging", took=0.1)
    story.observe("o1", "A", 1, environment="staging")
    story.deploy("d1", "A", 2, mechanism="automated")

    assert story.ask()["automated_share"].automated == 1


@pytest.mark.parametrize(
    ("event", "promotion", "verdict"),
    [
        ("manual", "automated", "manual"),
        (None, "manual", "manual"),
        ("unknown", "automated", "unknown"),
        ("automated", None, "unknown"),
        (None, None, "unknown"),
        (None, "unknown", "unknown"),
        (None, "automated", "automated"),
    ],
)
def test_the_first_class_that_applies_counts(
    story: Any, event: str | None, promotion: str | None, verdict: str
) -> None:
    story.deploy("s1", "A", 0.1, took=0.1, environment="staging")
    story.promote("p1", "A", 1, 1, 2, mechanism=promotion)
    story.deploy("d1", "A", 1, promotion="p1", mechanism=event)

    assert story.ask()["automated_share"].rows[0].verdict == verdict


def test_the_filter_widens_to_all_stages_after_the_first(story: Any) -> None:
    story.deploy("s1", "A", 1, environment="staging")
    story.deploy("d1", "A", 2)

    assert story.ask(all_stages=True)["automated_share"].n == 1
    assert story.ask(environment="staging")["automated_share"].n == 0
    assert story.ask(environment="staging")["automated_share"].no_data.startswith("Nothing in")


def test_too_few_targets_observed_make_the_share_an_upper_bound(two_targets: Any) -> None:
    two_targets.deploy("d1", "A", 1)
    two_targets.observe("o1", "A", 30, target="eu")

    seen = two_targets.ask(as_of=31, service="checkout")["automated_share"]
    later = two_targets.ask(as_of=54.1, service="checkout")["automated_share"]

    assert (seen.targets_observed, seen.targets, seen.coverage) == (1, 2, 0.5)
    assert seen.is_upper_bound
    assert later.targets_observed == 0


def test_services_at_target_are_counted_by_their_whole_interval(story: Any) -> None:
    for index in range(40):
        story.deploy(f"s{index}", f"D{index}", index, took=0.1, environment="staging")
        story.deploy(f"d{index}", f"D{index}", index + 0.2, took=0.1, mechanism="automated")
        story.deploy(f"e{index}", f"E{index}", index, took=0.1, service="search")

    result = story.ask()["automated_share"]

    assert automated_share.count_at_target(result, 0.9) == (1, 2)
    assert [(each.service, each.automated, each.n) for each in result.by_service] == [
        ("checkout", 40, 40),
        ("search", 0, 40),
    ]


def test_a_team_includes_its_sub_teams(story: Any) -> None:
    story.deploy("d1", "A", 1)
    story.deploy("d2", "A", 1, service="search")

    assert story.ask(team="payments")["automated_share"].n == 2
    assert story.ask(team="cards")["automated_share"].n == 1
    assert story.ask(service="checkout")["automated_share"].n == 1
    assert story.ask(tier="production", kind="hotfix")["automated_share"].n == 0


# 2 first pass


def test_an_incident_after_the_watch_window_does_not_spoil_the_first_pass(story: Any) -> None:
    story.promote("p1", "A", 1, 1, 2)
    story.deploy("d1", "A", 1, promotion="p1")
    story.incident("i1", 25.6, deployment="d1")

    assert story.ask()["first_pass"].numerator == 1
    story.incident("i2", 25.5)
    assert story.ask()["first_pass"].rows[0].reason.startswith("It did not stay good: incident i2")
    assert story.ask()["first_pass"].numerator == 0


def test_a_failed_attempt_is_followed_by_the_next_until_success(story: Any) -> None:
    story.promote("p1", "A", 1, 1, 2, state="failed")
    story.promote("p2", "A", 3, 3, 4, state="errored")
    story.promote("p3", "A", 5, 5, 6)
    story.promote("p4", "A", 7, 7, 8)

    (row,) = story.ask()["first_pass"].rows

    assert row.ids == ("p1", "p2", "p3")
    assert row.verdict == "failed"
    assert details(row)["eventual"]


def test_another_digest_in_between_makes_it_a_new_intent(story: Any) -> None:
    story.promote("p1", "B", 1, 1, 2, state="failed")
    story.deploy("d1", "A", 2)
    story.promote("p2", "B", 4, 4, 5)

    assert [row.unit for row in story.ask()["first_pass"].rows] == ["p1", "p2"]


def test_each_environment_stands_apart_and_production_leads(story: Any) -> None:
    story.promote("p1", "A", 1, 1, 2, to="staging", state="failed")
    story.promote("p2", "A", 3, 3, 4)

    result = story.ask()["first_pass"]

    assert (result.numerator, result.denominator) == (1, 2)
    assert (result.production.soaked, result.production.denominator) == (1, 1)
    assert [(each.name, each.soaked) for each in result.by_environment] == [
        ("prod", 1),
        ("staging", 0),
    ]


def test_an_attempt_under_way_is_immature(story: Any) -> None:
    story.promote("p1", "A", 1, 1, 5)

    result = story.ask(as_of=3)["first_pass"]

    assert (result.n, result.immature, result.provisional) == (0, 1, True)
    assert result.rows[0].verdict == "running"
    assert result.no_data.startswith("Too early")


def test_a_promotion_not_yet_started_as_of_then_waits(story: Any) -> None:
    story.promote("p1", "A", 1, 4, 5)

    assert story.ask(as_of=3)["first_pass"].rows == ()


# 3 build to production


def test_the_parts_of_a_span_add_up(story: Any) -> None:
    story.build("A", 0)
    story.deploy("s1", "A", 2, took=1, environment="staging")
    approvals = (ApprovalFact("ada", datetime(2025, 6, 1, 8, tzinfo=UTC)),)
    story.promote("p1", "A", 5, 10, 12, approvals=approvals)
    story.deploy("d1", "A", 10.5, took=1, promotion="p1")

    result = story.ask()["build_to_production"]
    parts = {part.name: part.hours for part in details(result.rows[0])["parts"]}

    assert parts == {
        "build to first environment": 2,
        "running": 2.5,
        "in staging": 2,
        "waiting for approval": 3,
        "waiting for gates": 2,
    }
    assert sum(parts.values()) == result.rows[0].hours == 11.5
    assert sum(part.share for part in result.mean_parts) == pytest.approx(1)


def test_until_all_targets_stands_beside(two_targets: Any) -> None:
    two_targets.build("A", 0)
    two_targets.deploy("d1", "A", 1, took=1, target="eu")
    assert details(two_targets.ask()["build_to_production"].rows[0])["until_all_hours"] is None

    two_targets.deploy("d2", "A", 5, took=1, target="us")
    (row,) = two_targets.ask()["build_to_production"].rows

    assert row.hours == 2
    assert details(row)["until_all_hours"] == 6


def test_hotfixes_are_in_and_apart(story: Any) -> None:
    story.build("A", 0)
    story.build("B", 0)
    story.deploy("d1", "A", 1)
    story.deploy("d2", "B", 2, kind="hotfix")

    result = story.ask()["build_to_production"]

    assert (result.n, result.hotfixes.n) == (2, 1)


def test_the_earliest_build_counts_and_none_gives_no_span(story: Any) -> None:
    story.build("A", 5)
    story.build("A", 2)
    story.deploy("d1", "A", 6, took=1)
    story.deploy("d2", "B", 8)

    assert [row.hours for row in story.ask()["build_to_production"].rows] == [5]


def test_going_back_to_where_it_started_is_no_first_deployment(story: Any) -> None:
    story.build("A", 0)
    story.observe("o1", "A", 1)
    story.deploy("d1", "B", 2)
    story.deploy("d2", "A", 3)

    assert story.ask()["build_to_production"].n == 0


def test_a_release_of_several_artifacts_lasts_until_its_last(story: Any) -> None:
    story.releases = (ReleaseFact("r1", "checkout", frozenset(("A", "M"))),)
    story.build("A", 1)
    story.build("M", 0)
    story.deploy("d1", "A", 2, artifact="api")
    assert story.ask()["build_to_production"].n == 0

    story.deploy("d2", "M", 4, took=1, artifact="jobs")
    results = story.ask()

    assert [row.hours for row in results["build_to_production"].rows] == [5]
    assert [(row.unit, row.ids) for row in results["traceability"].rows] == [("r1", ("d1", "d2"))]


def test_the_cohort_shows_deployed_waiting_and_superseded(story: Any) -> None:
    for digest, at in (("A", 0), ("B", 24), ("C", 48), ("D", 72)):
        story.build(digest, at)
    story.deploy("d1", "A", 12)
    story.deploy("d2", "C", 96)

    cohort = story.ask(as_of=72 + 24 * 8)["build_to_production"].cohort

    assert cohort.n == 4
    assert (cohort.deployed, cohort.superseded, cohort.waiting) == (0.5, 0.25, 0.25)
    assert cohort.in_production[:2] == ((1, 0.25), (7, 0.5))


# 4 traceability


def test_the_strict_variant_asks_for_evidence_at_the_time(story: Any) -> None:
    story.stage = StageFact("prod", ("staging",), signature=True)
    for digest, at in (("A", 1), ("B", 11)):
        story.build(digest, at)
        story.deploy(f"s-{digest}", digest, at, environment="staging")
        story.deploy(f"d-{digest}", digest, at + 1)
    story.prove("A", "signature", 1.5)
    story.prove("B", "signature", 20)

    result = story.ask()["traceability"]

    assert (result.numerator, result.complete_when_deployed) == (2, 1)
    assert {(each.link, each.have, each.of) for each in result.coverage} >= {("signature", 2, 2)}
    assert story.ask(as_of=19)["traceability"].missing == {"signature": 1}


def test_a_known_digest_only_seen_lacks_its_deployment(story: Any) -> None:
    story.build("B", 1)
    story.deploy("s1", "B", 1, environment="staging")
    story.deploy("d1", "A", 1)
    story.observe("o1", "B", 3)

    rows = {row.unit: details(row)["missing"] for row in story.ask()["traceability"].rows}

    assert rows == {"A": ("commit", "build", "upstream"), "B": ("deployment",)}


def test_an_unknown_digest_is_in_every_bucket_in_which_it_was_seen(story: Any) -> None:
    story.observe("o1", "X", 1)
    story.observe("o2", "X", 30)
    story.observe("o3", "X", 31)

    result = story.ask(days=3)["traceability"]

    assert result.n == 1
    assert [bucket.n for bucket in traceability.series(result, "day")] == [1, 1, 0]


# 5 failures


def failed(story: Any, **more: Any) -> list[str]:
    return [row.unit for row in story.ask(**more)["failures"].rows if row.good]


def test_a_promotion_that_left_production_degraded_failed(two_targets: Any) -> None:
    two_targets.promote("p1", "A", 1, 1, 4, state="errored")
    two_targets.deploy("d1", "A", 1, target="eu", promotion="p1")
    two_targets.deploy("d2", "A", 2, target="us", promotion="p1", result="failed")

    assert failed(two_targets) == ["d1"]


def test_a_declared_rollback_falls_back_on_what_failed_before_it(story: Any) -> None:
    story.deploy("d1", "A", 1)
    story.deploy("d2", "B", 2, result="failed")
    story.deploy("d3", "A", 3, kind="rollback")

    assert failed(story) == ["d2"]


def test_going_back_past_a_starting_point_blames_no_deployment(story: Any) -> None:
    story.observe("o1", "A", 1)
    story.observe("o2", "B", 1)
    story.deploy("d1", "A", 3)

    result = story.ask()["failures"]

    assert (result.count, result.denominator) == (0, 1)


def test_a_failed_return_is_no_inferred_rollback_and_a_declared_one_is(story: Any) -> None:
    story.deploy("d1", "A", 1)
    story.deploy("d2", "B", 2)
    story.deploy("d3", "A", 3, result="failed")
    assert failed(story) == []

    story.deploy("d4", "A", 4, result="failed", kind="rollback")
    assert failed(story) == ["d2"]


def test_a_failure_undone_before_all_targets_had_it_is_contained(two_targets: Any) -> None:
    for target in ("eu", "us"):
        two_targets.deploy(f"a-{target}", "A", 1, target=target)
    two_targets.deploy("b-eu", "B", 2, target="eu")
    two_targets.deploy("r-eu", "A", 3, target="eu", kind="rollback")

    result = two_targets.ask()["failures"]

    assert result.contained == ("b-eu",)
    assert (result.count, result.rework, result.n) == (1, 1, 4)
    assert result.rework_rate == 0.25


def test_recovery_is_the_first_successful_remedy(story: Any) -> None:
    story.deploy("a", "A", 1)
    story.deploy("b", "B", 2)
    story.deploy("r1", "A", 4, kind="rollback", result="failed")
    story.deploy("r2", "A", 6, kind="rollback")
    story.incident("i1", 3, 20)

    (row,) = [row for row in story.ask()["failures"].rows if row.good]

    assert row.hours == 4
    assert {finding[1] for finding in details(row)["findings"]} == {"r1", "r2", "i1"}


def test_without_a_remedy_every_incident_must_be_resolved(story: Any) -> None:
    story.deploy("a", "A", 1)
    story.incident("i1", 2, 5)
    story.incident("i2", 2, 40)

    then, later = story.ask(as_of=30)["failures"], story.ask(as_of=41)["failures"]

    assert (then.open, then.recovered, then.rows[0].hours) == (1, 0, 28.5)
    assert (later.open, later.recovered, later.rows[0].hours) == (0, 1, 38.5)


def test_a_remedy_before_the_failure_finished_is_shown_and_not_timed(story: Any) -> None:
    story.deploy("a", "A", 5)
    story.incident("i1", 2, 3, deployment="a")

    result = story.ask()["failures"]

    assert result.recovery_negative == ("a",)
    assert (result.count, result.recovered, result.open) == (1, 0, 0)


def test_incidents_that_do_not_count_stand_apart(story: Any) -> None:
    story.deploy("a", "A", 1)
    story.incident("suspected", 2, severe=False)
    story.incident("disputed", 3, disputed=True)
    story.incident("alone", 200)
    story.incident("passed over", 201, deployment="nowhere")

    result = story.ask()["failures"]

    assert result.count == 0
    assert result.suspected_incidents == ("suspected",)
    assert result.disputed_incidents == ("disputed",)
    assert result.incidents_without_deployment == ("alone", "passed over")


@pytest.mark.parametrize(
    ("more", "how"),
    [
        ({"at": 2, "severe": False, "confirmed": True}, "confirmed"),
        ({"at": 200, "linked_by_person": "a"}, "confirmed"),
        ({"at": 200, "promotion": "p1"}, "explicit"),
        ({"at": 200, "digest": "A"}, "explicit"),
        ({"at": 200, "release": "A"}, "explicit"),
        ({"at": 0.2, "digest": "A"}, "explicit"),
        ({"at": 2}, "inferred"),
    ],
)
def test_an_incident_is_linked_with_its_confidence(
    story: Any, more: dict[str, Any], how: str
) -> None:
    story.promote("p1", "A", 1, 1, 2)
    story.deploy("a", "A", 1, promotion="p1")
    story.incident("i1", **more)

    (row,) = [row for row in story.ask()["failures"].rows if row.good]

    assert details(row)["findings"] == (("incident", "i1", how),)


def test_a_hotfix_marks_past_its_own_digest(story: Any) -> None:
    story.deploy("b", "B", 1)
    story.deploy("h1", "H", 2, kind="hotfix", result="failed")
    story.deploy("h2", "H", 3, kind="roll_forward")

    result = story.ask()["failures"]

    assert [row.unit for row in result.rows if row.good] == ["b"]
    assert result.rework == 2


def test_a_deployment_is_judged_by_the_pipeline_as_of_then() -> None:
    before = PipelineFact((StageFact("prod"),), datetime(2025, 1, 1, tzinfo=UTC))
    after = PipelineFact((StageFact("prod", ("staging",)),), datetime(2025, 6, 1, 10, tzinfo=UTC))
    service = ServiceFact("checkout", "payments", (before, after))

    def upstream(hour: int, month: int = 6) -> tuple[str, ...]:
        return service.stage_at("prod", datetime(2025, month, 1, hour, tzinfo=UTC)).upstream

    assert [upstream(9), upstream(10), upstream(9, month=7)] == [(), ("staging",), ("staging",)]
    assert upstream(0, month=1) == ()
    assert service.stage_at("staging", datetime(2025, 6, 1, tzinfo=UTC)) == StageFact("staging")
    assert ServiceFact("lone", "web").stage_at("prod", datetime(2025, 6, 1, tzinfo=UTC)) == (
        StageFact("prod")
    )


def test_spans_of_other_periods_and_services_are_left_out(story: Any) -> None:
    story.build("A", 1)
    story.deploy("d1", "A", 30)
    story.build("B", 30, service="search")
    story.deploy("d2", "B", 32, service="search")
    story.build("C", 20)
    story.deploy("d3", "C", 10)

    first_day = story.ask(days=1)["build_to_production"]
    checkout = story.ask(service="checkout")["build_to_production"]

    assert (first_day.n, first_day.cohort.n, first_day.beside.quarantined) == (0, 1, ("d3",))
    assert [row.unit for row in checkout.rows] == ["A"]


def test_an_unknown_digest_deployed_later_is_tested_where_it_first_ran(story: Any) -> None:
    story.deploy("d0", "A", 1)
    story.observe("o1", "X", 2)
    story.deploy("s1", "X", 3, environment="staging")
    story.deploy("d1", "B", 4)
    story.deploy("d2", "X", 5)

    rows = {row.unit: row for row in story.ask()["traceability"].rows}

    assert rows["X"].ids == ("o1",)
    assert details(rows["X"])["missing"] == ("commit", "build", "upstream")
