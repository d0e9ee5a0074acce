"""The order rule where the vectors are silent."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotion.rules.availability import (
    Availability,
    OrderFacts,
    Run,
    Upstream,
    Verification,
    find_current_run,
    find_longest_run,
    judge_availability,
    running_spans,
)

NOON = datetime(2027, 5, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def facts(*upstream: Upstream, **more: object) -> OrderFacts:
    return OrderFacts("B", upstream, **more)  # type: ignore[arg-type]


def test_a_run_without_an_end_ends_when_the_next_begins() -> None:
    runs = (Run("B", NOON - 3 * HOUR), Run("C", NOON - 2 * HOUR))
    assert find_longest_run(runs, "B", NOON) == HOUR
    assert find_current_run(runs, "B", NOON) is None


def test_an_end_still_to_come_has_not_happened() -> None:
    runs = (Run("B", NOON - HOUR, NOON + HOUR),)
    assert find_current_run(runs, "B", NOON) == NOON - HOUR
    verdict = judge_availability(facts(Upstream("testing", 2 * HOUR, runs=runs)), NOON)
    assert verdict.earliest == NOON + HOUR


def test_a_run_that_ends_at_this_instant_runs_no_more() -> None:
    runs = (Run("B", NOON - HOUR, NOON),)
    verdict = judge_availability(facts(Upstream("testing", 2 * HOUR, runs=runs)), NOON)
    assert (verdict.available, verdict.earliest) == (False, None)


def test_a_run_still_to_come_is_no_deployment() -> None:
    runs = (Run("B", NOON + HOUR),)
    assert not judge_availability(facts(Upstream("testing", runs=runs)), NOON).available


def test_the_soak_of_runs_that_touch_counts_from_the_first() -> None:
    runs = (Run("B", NOON - 2 * HOUR, NOON - HOUR), Run("B", NOON - HOUR))
    verdict = judge_availability(facts(Upstream("testing", 3 * HOUR, runs=runs)), NOON)
    assert verdict.earliest == NOON + HOUR


def test_a_failure_at_the_instant_of_a_success_does_not_open() -> None:
    upstream = Upstream("testing", runs=(Run("B", NOON - HOUR),), failed_at=(NOON - HOUR,))
    assert not judge_availability(facts(upstream), NOON).available


def test_a_failure_still_to_come_has_not_happened() -> None:
    upstream = Upstream("testing", runs=(Run("B", NOON - HOUR),), failed_at=(NOON + HOUR,))
    assert judge_availability(facts(upstream), NOON).available


def test_a_waiver_does_not_pass_a_failed_redeployment() -> None:
    upstream = Upstream("testing", runs=(Run("B", NOON - HOUR),), failed_at=(NOON,))
    assert not judge_availability(facts(upstream, waived=True), NOON).available


def test_of_verifications_at_one_instant_the_later_listed_decides() -> None:
    both = (Verification(NOON, True), Verification(NOON, False))
    upstream = Upstream("testing", verifies=True, runs=(Run("B", NOON - HOUR),))
    for verifications, available in ((both, False), (both[::-1], True)):
        judged = Upstream("testing", 0 * HOUR, True, upstream.runs, (), verifications)
        assert judge_availability(facts(judged), NOON).available is available


def test_a_soak_and_a_failed_verification_leave_the_time_unknown() -> None:
    runs = (Run("B", NOON - HOUR),)
    bad = (Verification(NOON, False),)
    upstream = Upstream("testing", 2 * HOUR, True, runs, (), bad)
    assert judge_availability(facts(upstream), NOON).earliest is None


@pytest.mark.parametrize(
    ("availability", "earliest"), [(Availability.ANY, NOON), (Availability.ALL, NOON + HOUR)]
)
def test_one_upstream_counts_and_one_soaks(availability: Availability, earliest: datetime) -> None:
    runs = (Run("B", NOON - HOUR),)
    both = (Upstream("eu", runs=runs), Upstream("us", 2 * HOUR, runs=runs))
    verdict = judge_availability(facts(*both, availability=availability), NOON)
    assert verdict.earliest == earliest
    assert len(verdict.reasons) == 2


def test_a_first_stage_that_requires_a_build_refuses_a_digest_without_one() -> None:
    assert not judge_availability(facts(require_build=True, built=False), NOON).available


def test_a_first_stage_refuses_another_services_release() -> None:
    assert not judge_availability(facts(belongs=False), NOON).available


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 20), st.integers(0, 5)), max_size=8)
)
def test_the_spans_cover_the_minutes_the_release_ran_and_never_touch(
    drawn: list[tuple[str, int, int]],
) -> None:
    minute = timedelta(minutes=1)
    runs = [Run(name, NOON + a * minute, NOON + (a + n) * minute) for name, a, n in drawn]
    now = NOON + 15 * minute
    spans = running_spans(runs, "B", now)
    for step in range(15):
        at = NOON + step * minute
        ran = any(r.release == "B" and r.from_at <= at < (r.to_at or now) for r in runs)
        assert ran == any(s.from_at <= at < (s.to_at or now) for s in spans)
    for one, two in pairwise(spans):
        assert one.to_at is not None
        assert one.to_at < two.from_at
