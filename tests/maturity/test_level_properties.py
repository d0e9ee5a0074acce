"""What holds of the level engine whatever is answered, measured and proven."""

from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.maturity.levels import derive_levels
from metrics.maturity.lifting import find_lifts
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.model import Statement
from metrics.maturity.values import OPEN_ANSWERS, RANKS, Answer, Measured, Rule

MODEL = load_shipped_model()
BY_ID = {statement.id: statement for statement in MODEL.statements}
IDS = sorted(BY_ID)


def weigh_towards_good(statement: Statement) -> list[Answer]:
    # Evenly drawn answers nearly always end at level 1, where nothing can be seen.
    return [*statement.scale, *OPEN_ANSWERS, *[statement.scale[-1]] * 30, statement.scale[-2]]


CLAIMED = st.fixed_dictionaries(
    {one.id: st.sampled_from(weigh_towards_good(one)) for one in MODEL.statements}
)
MEASURED = st.fixed_dictionaries(
    {},
    optional={
        one.id: st.sampled_from(
            [Measured(best) for best in (*one.scale, *[one.scale[-1]] * 8)]
            + [Measured.INSUFFICIENT]
        )
        for one in MODEL.statements
    },
)
EVIDENCE = st.frozensets(st.sampled_from(IDS))
RULES = st.sampled_from(Rule)
# A busy machine is no failure.
untimed = settings(deadline=None, max_examples=60)


def raise_answer(answer: Answer, statement: Statement) -> list[Answer]:
    rank = RANKS.get(answer, 0)
    return [one for one in statement.scale if RANKS[one] >= rank]


@untimed
@given(CLAIMED, MEASURED, EVIDENCE, RULES, st.sampled_from(IDS), st.data())
def test_raising_an_answer_never_lowers_a_level(
    claimed: dict[str, Answer],
    measured: dict[str, Measured],
    evidence: frozenset[str],
    rule: Rule,
    statement_id: str,
    data: st.DataObject,
) -> None:
    if claimed[statement_id] is Answer.NOT_APPLICABLE:
        claimed[statement_id] = Answer.UNANSWERED
    higher = data.draw(st.sampled_from(raise_answer(claimed[statement_id], BY_ID[statement_id])))
    before = derive_levels(MODEL, claimed, measured, evidence, rule)
    after = derive_levels(MODEL, {**claimed, statement_id: higher}, measured, evidence, rule)
    for category in before.claimed.categories:
        assert after.claimed.categories[category] >= before.claimed.categories[category]
        assert after.verified.categories[category] >= before.verified.categories[category]
    assert after.claimed.overall >= before.claimed.overall
    assert after.verified.overall >= before.verified.overall


@untimed
@given(CLAIMED, MEASURED, EVIDENCE, RULES, st.sampled_from(IDS), st.data())
def test_raising_a_measured_value_never_lowers_a_verified_level(
    claimed: dict[str, Answer],
    measured: dict[str, Measured],
    evidence: frozenset[str],
    rule: Rule,
    statement_id: str,
    data: st.DataObject,
) -> None:
    statement = BY_ID[statement_id]
    lower = data.draw(st.sampled_from(statement.scale))
    higher = data.draw(st.sampled_from(raise_answer(lower, statement)))
    worse = derive_levels(
        MODEL, claimed, {**measured, statement_id: Measured(lower)}, evidence, rule
    )
    better = derive_levels(
        MODEL, claimed, {**measured, statement_id: Measured(higher)}, evidence, rule
    )
    for category, level in worse.verified.categories.items():
        assert better.verified.categories[category] >= level
    assert better.claimed == worse.claimed


@untimed
@given(CLAIMED, MEASURED, EVIDENCE, RULES)
def test_verified_is_never_above_claimed(
    claimed: dict[str, Answer],
    measured: dict[str, Measured],
    evidence: frozenset[str],
    rule: Rule,
) -> None:
    result = derive_levels(MODEL, claimed, measured, evidence, rule)
    for category, level in result.verified.categories.items():
        assert 1 <= level <= result.claimed.categories[category] <= MODEL.top_level
    assert result.verified.overall == min(result.verified.categories.values())
    assert result.claimed.overall == min(result.claimed.categories.values())
    assert 0 <= result.confidence.have <= result.confidence.of


@untimed
@given(CLAIMED, MEASURED, EVIDENCE)
def test_the_softer_rule_never_gives_a_lower_level(
    claimed: dict[str, Answer], measured: dict[str, Measured], evidence: frozenset[str]
) -> None:
    strict = derive_levels(MODEL, claimed, measured, evidence, Rule.ISO33020)
    soft = derive_levels(MODEL, claimed, measured, evidence, Rule.CMMI)
    for category, level in strict.verified.categories.items():
        assert soft.verified.categories[category] >= level


@untimed
@given(CLAIMED, MEASURED, EVIDENCE, RULES)
def test_below_the_top_a_category_always_says_why_it_stops(
    claimed: dict[str, Answer],
    measured: dict[str, Measured],
    evidence: frozenset[str],
    rule: Rule,
) -> None:
    result = derive_levels(MODEL, claimed, measured, evidence, rule)
    for levels in (result.claimed, result.verified):
        for category, level in levels.categories.items():
            assert bool(levels.why[category]) == (level < MODEL.top_level)


@untimed
@given(CLAIMED, MEASURED, EVIDENCE, RULES, st.sampled_from([None, "people", "measurement"]))
def test_a_lift_lifts_once_it_is_claimed_and_proven(
    claimed: dict[str, Answer],
    measured: dict[str, Measured],
    evidence: frozenset[str],
    rule: Rule,
    category: str | None,
) -> None:
    result = derive_levels(MODEL, claimed, measured, evidence, rule)
    for lift in find_lifts(result, category):
        better = {one.statement_id: one.to for one in lift.improvements}
        after = derive_levels(
            MODEL,
            {**claimed, **better},
            {**measured, **{key: Measured(value) for key, value in better.items()}},
            evidence,
            rule,
        )
        levels = after.verified
        reached = levels.overall if category is None else levels.categories[category]
        assert reached >= lift.to_level == lift.from_level + 1
        assert 1 <= len(lift.improvements) <= 3
