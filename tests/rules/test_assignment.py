"""Assigning people to one rule each, against every assignment there is."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from promotion.rules.assignment import assign_people, can_fill_all

PEOPLE = "abcdef"
problems = st.lists(
    st.tuples(st.integers(0, 3), st.sets(st.sampled_from(PEOPLE))), min_size=0, max_size=4
)


def try_all(seats: list[int], eligible: list[list[str]]) -> tuple[int, ...]:
    choices = [[None, *(r for r, who in enumerate(eligible) if p in who)] for p in PEOPLE]
    best: tuple[int, ...] = ()
    for seating in product(*choices):
        given_ = [seating.count(rule) for rule in range(len(seats))]
        if all(has <= needs for has, needs in zip(given_, seats, strict=True)):
            met = sum(has == needs for has, needs in zip(given_, seats, strict=True))
            best = max(best, (met, sum(given_), *given_))
    return best


@given(problems)
def test_the_assignment_is_the_best_of_all(problem: list[tuple[int, set[str]]]) -> None:
    seats = [needs for needs, _ in problem]
    eligible = [sorted(who) for _, who in problem]
    names = assign_people(seats, eligible)
    given_ = [len(each) for each in names]
    met = sum(has == needs for has, needs in zip(given_, seats, strict=True))
    assert (met, sum(given_), *given_) == try_all(seats, eligible)
    assert all(set(each) <= set(who) for each, who in zip(names, eligible, strict=True))
    seated = [name for each in names for name in each]
    assert len(set(seated)) == len(seated)
    assert can_fill_all(seats, eligible) == (met == len(seats))


def test_two_hundred_people_in_six_rules_are_assigned() -> None:
    crowd = [f"person {number:03}" for number in range(200)]
    names = assign_people([30] * 6, [crowd] * 6)
    assert [len(each) for each in names] == [30] * 6
