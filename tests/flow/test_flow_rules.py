"""Where a promotion's time goes, what each gate cost and caught; by examples worked out by hand."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.measures.controls import Asked, Got, judge_each
from metrics.measures.flow import (
    Act,
    Course,
    Wait,
    count_hand_offs,
    find_held,
    split_course,
)
from tests.factories import NOW

HOUR = timedelta(hours=1)
patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def course(
    *waits: Wait, state: str = "succeeded", start: float | None = 10, end: float = 12, **more
):
    """Asked for at 0; hours."""
    return Course(
        state,
        NOW,
        None if start is None else NOW + start * HOUR,
        NOW + end * HOUR,
        waits,
        **more,
    )


def wait(gate: str, since: float, until: float | None = None, rule: str = "", **more) -> Wait:
    return Wait(
        gate, rule, NOW + since * HOUR, None if until is None else NOW + until * HOUR, **more
    )


def hours(parts: dict[str, float]) -> dict[str, float]:
    return {name: seconds / 3600 for name, seconds in parts.items() if seconds}


def test_people_come_before_windows_and_those_before_other_gates():
    found = split_course(
        course(
            wait("soak", 0, 3),
            wait("approval", 2, 5, rule="leads"),
            wait("window", 4, 8),
        )
    )
    assert hours(found) == {"gates": 2, "people": 3, "windows": 3, "turn": 2, "running": 2}


def test_what_was_not_kept_is_not_told_apart():
    assert hours(split_course(course(is_told=False))) == {"untold": 10, "running": 2}


def test_a_promotion_that_never_started_has_only_waiting():
    found = split_course(course(wait("tests", 1), state="expired", start=None, end=6))
    assert hours(found) == {"turn": 1, "gates": 5}


def test_a_gate_costs_what_it_held_and_alone_what_would_be_saved_without_it():
    found = find_held(
        course(wait("soak", 0, 4), wait("approval", 2, rule="leads"), wait("soak", 6, 7))
    )
    costs = {(each.gate, each.rule): (each.held / 3600, each.alone / 3600) for each in found}
    assert costs == {("soak", ""): (5, 2), ("approval", "leads"): (8, 5)}


def test_a_rejection_is_caught_by_the_approval_alone_and_an_expiry_by_all_that_held():
    waits = (wait("tests", 0), wait("approval", 0, rule="leads"), wait("soak", 0, 1))
    caught = {
        state: {
            each.gate
            for each in find_held(course(*waits, state=state, start=None))
            if each.caught == state
        }
        for state in ("rejected", "expired", "superseded")
    }
    assert caught == {
        "rejected": {"approval"},
        "expired": {"tests", "approval"},
        "superseded": set(),
    }


def test_what_started_was_not_caught():
    assert [each.caught for each in find_held(course(wait("tests", 0), state="failed"))] == [""]


times = st.integers(min_value=0, max_value=1000)


@patiently
@given(
    waits=st.lists(
        st.tuples(
            st.sampled_from(["approval", "window", "soak", "tests"]),
            times,
            st.one_of(st.none(), times),
        ),
        max_size=8,
    ),
    started=st.one_of(st.none(), times),
    ran=times,
    is_told=st.booleans(),
)
def test_the_parts_of_a_promotion_add_up_and_none_is_below_zero(waits, started, ran, is_told):
    end = (started or 0) + ran
    found = split_course(
        course(
            *(wait(gate, since, until) for gate, since, until in waits),
            start=started,
            end=end,
            is_told=is_told,
        )
    )
    assert sum(found.values()) == end * 3600
    assert min(found.values()) >= 0


@patiently
@given(waits=st.lists(st.tuples(st.sampled_from(["approval", "soak"]), times, times), max_size=6))
def test_no_gate_costs_more_than_the_waiting_and_no_less_than_alone(waits):
    found = find_held(
        course(*(wait(gate, since, until) for gate, since, until in waits), start=500, end=600)
    )
    for each in found:
        assert 0 <= each.alone <= each.held <= 500 * 3600
    assert sum(each.alone for each in found) <= 500 * 3600


def test_hand_offs_are_counted_where_the_person_changes():
    acts = [
        Act("mei", NOW),
        Act("ines", NOW + 2 * HOUR),
        Act("mei", NOW + HOUR),
        Act("jon", NOW + 3 * HOUR),
    ]
    assert count_hand_offs(acts) == 2
    assert count_hand_offs([]) == 0


def test_a_control_is_met_only_by_an_open_result_from_before_the_start():
    asked = [Asked("order"), Asked("tests"), Asked("soak"), Asked("window"), Asked("lock")]
    got = [
        Got("order", True, NOW),
        Got("tests", True, NOW + HOUR),
        Got("soak", True, NOW, is_excepted=True),
        Got("window", True, NOW, is_glass=True),
    ]
    assert dict(judge_each(asked, got, NOW)) == {
        "order": "met",
        "tests": "missed",
        "soak": "excepted",
        "window": "glass",
        "lock": "missed",
    }


def test_of_two_gates_of_one_kind_the_worse_counts():
    asked = [Asked("http"), Asked("http")]
    assert judge_each(asked, [Got("http", True, NOW)], NOW) == (("http", "missed"),)
