"""Spread, stop, difference and what-if over plain values."""

from hypothesis import given
from hypothesis import strategies as st

from metrics.maturity.asking import find_stop
from metrics.maturity.levels import derive_levels
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.spread import find_spread
from metrics.maturity.values import PRACTICE_SCALE, Answer
from metrics.maturity.what_if import find_fixable, suppose

MODEL = load_shipped_model()
IDS = [one.id for one in MODEL.statements]


@st.composite
def claims(draw):
    return {
        one.id: draw(st.sampled_from([*one.scale, Answer.UNKNOWN]))
        for one in MODEL.statements
        if draw(st.booleans())
    }


def test_two_steps_apart_is_discussed_and_one_is_not():
    assert find_spread([Answer.PARTLY, Answer.FULLY]).is_wide
    assert not find_spread([Answer.LARGELY, Answer.FULLY]).is_wide
    assert find_spread([Answer.STILL_TRUE, Answer.NO_LONGER, Answer.SOMETIMES]).is_wide
    assert not find_spread([]).is_wide


def test_unanimous_takes_two_who_know():
    assert find_spread([Answer.FULLY, Answer.FULLY]).is_unanimous
    assert not find_spread([Answer.FULLY]).is_unanimous
    assert not find_spread([Answer.UNKNOWN, Answer.UNKNOWN]).is_unanimous
    assert not find_spread([Answer.FULLY, Answer.UNKNOWN]).is_unanimous


@given(st.lists(st.sampled_from(PRACTICE_SCALE), max_size=6))
def test_spread_does_not_depend_on_the_order(answers):
    assert find_spread(answers) == find_spread(answers[::-1])


@given(claims(), st.sets(st.sampled_from(IDS)))
def test_doing_more_never_lowers_a_verified_level(claimed, fixed):
    result = derive_levels(MODEL, claimed, {}, set())
    supposed = suppose(result, fixed)
    for category, level in result.verified.categories.items():
        assert supposed.verified.categories[category] >= level


@given(claims())
def test_doing_all_that_can_be_done_reaches_the_top(claimed):
    result = derive_levels(MODEL, claimed, {}, set())
    fixed = {each.statement.id for each in find_fixable(result)}
    assert suppose(result, fixed).verified.overall == MODEL.top_level


@given(claims())
def test_above_a_stop_no_answer_lifts_the_claimed_level(claimed):
    result = derive_levels(MODEL, claimed, {}, set())
    for category in MODEL.categories:
        stop = find_stop(result, category.id, claimed.keys())
        if stop is None:
            continue
        more = {
            one.id: one.scale[-1] for one in MODEL.get_statements(category.id) if one.level > stop
        }
        lifted = derive_levels(MODEL, {**claimed, **more}, {}, set())
        superseding = {one.superseded_by for one in MODEL.get_statements(category.id)}
        if superseding & more.keys():
            continue  # a higher statement may take a stepping stone's place
        assert lifted.claimed.categories[category.id] <= stop
