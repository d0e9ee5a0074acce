"""Time series, periods, and what holds for every record: properties."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.measures.base import (
    CorrectionFact,
    DeploymentFact,
    EnvironmentFact,
    Filters,
    IncidentFact,
    ObservationFact,
    PipelineFact,
    PromotionFact,
    Record,
    ServiceFact,
    StageFact,
)
from metrics.measures.knowledge import know
from metrics.measures.periods import Period, split_period
from metrics.measures.registry import MEASURES, compute_all

JUNE = datetime(2025, 6, 1, tzinfo=UTC)
PERIOD = Period(date(2025, 6, 1), date(2025, 6, 15))
STEPS = ("day", "week", "month")


def test_weeks_begin_on_monday_and_end_with_the_period() -> None:
    weeks = split_period(Period(date(2025, 6, 1), date(2025, 6, 17)), "week")

    assert [(week.from_.isoformat(), week.to.isoformat()) for week in weeks] == [
        ("2025-06-01", "2025-06-02"),
        ("2025-06-02", "2025-06-09"),
        ("2025-06-09", "2025-06-16"),
        ("2025-06-16", "2025-06-17"),
    ]


def test_months_cross_the_year() -> None:
    months = split_period(Period(date(2024, 11, 20), date(2025, 2, 1)), "month")

    assert [month.from_.isoformat() for month in months] == [
        "2024-11-20",
        "2024-12-01",
        "2025-01-01",
    ]


def test_a_step_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="day, week or month"):
        split_period(PERIOD, "decade")


def test_the_days_around_summer_time_have_23_and_25_hours() -> None:
    spring, autumn = (
        Period(day, day + timedelta(days=1), "Europe/Berlin")
        for day in (date(2025, 3, 30), date(2025, 10, 26))
    )

    assert spring.ends_at - spring.starts_at == timedelta(hours=23)
    assert autumn.ends_at - autumn.starts_at == timedelta(hours=25)


def test_a_bucket_without_units_is_a_gap(story: Any) -> None:
    story.deploy("d1", "A", 1)
    results = story.ask(days=2)

    for name in ("automated_share", "traceability", "failures"):
        first, second = MEASURES[name].series(results[name], "day")
        assert (first.n, first.value) == (1, 0)
        assert (second.n, second.value, second.numerator, second.interval) == (0, None, None, None)


def test_a_bucket_with_immature_units_or_not_yet_over_is_provisional(story: Any) -> None:
    story.deploy("d1", "A", 1)
    story.deploy("d2", "B", 40)
    result = story.ask(as_of=49, days=3)["failures"]

    days = MEASURES["failures"].series(result, "day")

    assert [(day.n, day.value, day.provisional) for day in days] == [
        (1, 0.0, False),
        (0, None, True),
        (0, None, True),
    ]


def test_a_median_of_too_few_is_a_gap_with_its_n(story: Any) -> None:
    for index in range(5):
        story.build(f"D{index}", index)
        story.deploy(f"d{index}", f"D{index}", index, took=2)
    story.build("late", 30)
    story.deploy("last", "late", 31)
    result = story.ask(days=2)["build_to_production"]

    first, second = MEASURES["build_to_production"].series(result, "day")

    assert (first.n, first.value, second.n, second.value) == (5, 2, 1, None)


ENVIRONMENTS = (
    EnvironmentFact("staging", "staging"),
    EnvironmentFact("prod", "production", ("eu", "us")),
)
PIPELINE = PipelineFact((StageFact("staging"), StageFact("prod", ("staging",))))
SERVICES = (
    ServiceFact("checkout", "payments", (PIPELINE,)),
    ServiceFact("search", "web", (PIPELINE,)),
)
HOUR = st.integers(0, 24 * 14)
WHERE = st.sampled_from([("staging", None), ("prod", "eu"), ("prod", "us"), ("prod", None)])
SERVICE = st.sampled_from(["checkout", "search"])
DIGEST = st.sampled_from(["A", "B", "C"])


def at(hours: int) -> datetime:
    return JUNE + timedelta(hours=hours)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A short history of two services, with late, wrong and corrected facts."""
    promotions, deployments, observations, incidents = [], [], [], []
    for index in range(draw(st.integers(0, 5))):
        asked = draw(HOUR)
        started = asked + draw(st.integers(0, 3))
        ended = started + draw(st.integers(0, 5))
        promotions.append(
            PromotionFact(
                f"p{index}",
                draw(SERVICE),
                draw(DIGEST),
                draw(WHERE)[0],
                at(asked),
                at(asked),
                draw(st.sampled_from(["succeeded", "failed"])),
                at(started),
                at(ended),
                draw(st.sampled_from(["normal", "rollback"])),
                "automated",
            )
        )
    for index in range(draw(st.integers(0, 10))):
        started, took = draw(HOUR), draw(st.integers(-1, 4))
        place, target = draw(WHERE)
        named = draw(st.sampled_from([None, "p0", "p1"]))
        deployments.append(
            DeploymentFact(
                f"d{index}",
                draw(SERVICE),
                place,
                draw(DIGEST),
                at(started),
                at(started + max(took, 0) + draw(st.integers(0, 40))),
                at(started + took),
                draw(st.sampled_from(["succeeded", "succeeded", "failed"])),
                target,
                named,
                kind=draw(st.sampled_from([None, None, "hotfix", "rollback"])),
            )
        )
    for index in range(draw(st.integers(0, 5))):
        seen = draw(HOUR)
        place, target = draw(WHERE)
        observations.append(
            ObservationFact(
                f"o{index}", draw(SERVICE), place, draw(DIGEST), at(seen), at(seen), target
            )
        )
    for index in range(draw(st.integers(0, 3))):
        opened = draw(HOUR)
        incidents.append(
            IncidentFact(
                f"i{index}",
                draw(SERVICE),
                "prod",
                at(opened),
                at(opened),
                at(opened + draw(st.integers(0, 9))),
            )
        )
    voided = draw(st.lists(st.sampled_from(["d0", "p1", "o0", "i0"]), max_size=2, unique=True))
    return Record(
        ENVIRONMENTS,
        SERVICES,
        promotions=tuple(promotions),
        deployments=tuple(deployments),
        observations=tuple(observations),
        incidents=tuple(incidents),
        corrections=tuple(CorrectionFact(id, at(draw(HOUR)), "auditor", "test") for id in voided),
    )


FACTS = ("promotions", "deployments", "observations", "incidents")


@settings(max_examples=80, deadline=None)
@given(records(), st.randoms(use_true_random=False))
def test_the_order_of_facts_changes_nothing(record: Record, shuffle: Any) -> None:
    shuffled = {name: list(getattr(record, name)) for name in FACTS}
    for facts in shuffled.values():
        shuffle.shuffle(facts)
    other = replace(record, **{name: tuple(facts) for name, facts in shuffled.items()})

    assert compute_all(other, PERIOD) == compute_all(record, PERIOD)


@settings(max_examples=80, deadline=None)
@given(records(), HOUR)
def test_a_figure_as_of_a_time_uses_only_what_was_received_by_then(
    record: Record, hours: int
) -> None:
    as_of = at(hours)
    known = {
        name: tuple(fact for fact in getattr(record, name) if fact.received_at <= as_of)
        for name in FACTS
    }
    corrections = tuple(each for each in record.corrections if each.at <= as_of)
    then = replace(record, **known, corrections=corrections)

    assert compute_all(record, PERIOD, as_of=as_of) == compute_all(then, PERIOD, as_of=as_of)


@settings(max_examples=80, deadline=None)
@given(records(), HOUR, HOUR)
def test_knowledge_only_grows_but_for_corrections(record: Record, one: int, two: int) -> None:
    early, late = know(record, at(min(one, two))), know(record, at(max(one, two)))
    voided = {each.voids for each in record.corrections}

    def ids(knowledge: Any) -> set[str]:
        facts = (*knowledge.deployments, *knowledge.observations, *knowledge.quarantined)
        return {fact.id for fact in facts} | set(knowledge.promotions)

    assert ids(early) - ids(late) <= voided


@settings(max_examples=80, deadline=None)
@given(records())
def test_pooled_figures_are_the_sums_of_their_services(record: Record) -> None:
    whole = compute_all(record, PERIOD)
    parts = [compute_all(record, PERIOD, Filters(service=name.name)) for name in SERVICES]

    for name, result in whole.items():
        assert result.denominator == sum(part[name].denominator for part in parts)
        assert (result.numerator or 0) == sum(part[name].numerator or 0 for part in parts)
        if result.value is not None and name in ("automated_share", "first_pass", "traceability"):
            assert result.value == (result.numerator or 0) / result.denominator


@settings(max_examples=60, deadline=None)
@given(records(), st.sampled_from(STEPS))
def test_the_buckets_of_a_series_add_up_to_the_figure(record: Record, step: str) -> None:
    results = compute_all(record, PERIOD)

    for name in ("automated_share", "first_pass", "failures"):
        buckets = MEASURES[name].series(results[name], step)
        assert sum(bucket.n for bucket in buckets) == results[name].n
        assert sum(bucket.numerator or 0 for bucket in buckets) == (results[name].numerator or 0)
        assert all((bucket.value is None) == (bucket.n == 0) for bucket in buckets)
