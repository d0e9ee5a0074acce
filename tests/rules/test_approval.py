"""Approval rules where the vectors are silent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotion.exceptions import InputError
from promotion.rules.approval import (
    ApprovalFacts,
    ApprovalRule,
    Decision,
    DecisionKind,
    Exclusion,
    Person,
    admit_decision,
    judge_approvals,
    refuse_decision,
)

NOON = datetime(2027, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
APPROVE, REJECT, WITHDRAW = DecisionKind.APPROVE, DecisionKind.REJECT, DecisionKind.WITHDRAW


def rule(name: str = "release", count: int = 1, **more: Any) -> ApprovalRule:
    groups = frozenset(more.pop("groups", {name}))
    return ApprovalRule(name, count, groups, **more)


def person(name: str, *groups: str) -> Person:
    return Person(name, frozenset(groups))


def decide(by: str, what: DecisionKind = APPROVE, hours_ago: float = 1, **more: Any) -> Decision:
    more = {"content_hash": "now", **more}
    return Decision(by, what, NOON - hours_ago * HOUR, **more)


def facts(
    rules: list[ApprovalRule], people: list[Person], *decisions: Decision, **more: Any
) -> ApprovalFacts:
    return ApprovalFacts(tuple(rules), tuple(people), "now", decisions, **more)


ADA, BO = person("Ada", "release"), person("Bo", "release")


def test_who_left_the_group_may_still_withdraw_what_stands() -> None:
    left = person("Ada", "development")
    approved = decide("Ada", groups=frozenset({"release"}), hours_ago=2)
    verdict = judge_approvals(facts([rule()], [left], approved, decide("Ada", WITHDRAW)), NOON)
    assert verdict.rules["release"].given == 0
    assert verdict.refused == ()


def test_a_stale_approval_that_was_withdrawn_is_not_stale_any_more() -> None:
    old = decide("Ada", content_hash="then", hours_ago=2)
    verdict = judge_approvals(facts([rule()], [ADA], old, decide("Ada", WITHDRAW)), NOON)
    assert (verdict.stale, verdict.refused) == ((), ())


def test_withdrawing_twice_is_refused_the_second_time() -> None:
    tries = [decide("Ada", hours_ago=3), decide("Ada", WITHDRAW, 2), decide("Ada", WITHDRAW)]
    assert judge_approvals(facts([rule()], [ADA], *tries), NOON).refused == ("Ada",)


def test_a_withdrawal_after_a_rejection_is_refused() -> None:
    tries = [
        decide("Ada", hours_ago=3),
        decide("Bo", REJECT, 2, comment="No."),
        decide("Ada", WITHDRAW),
    ]
    verdict = judge_approvals(facts([rule()], [ADA, BO], *tries), NOON)
    assert verdict.refused == ("Ada",)
    assert verdict.rules["release"].given == 1


def test_a_refused_decision_is_remembered_though_a_later_one_was_accepted() -> None:
    tries = [decide("Ada", REJECT, 2), decide("Ada")]
    verdict = judge_approvals(facts([rule()], [ADA], *tries), NOON)
    assert (verdict.met, verdict.refused) == (True, ("Ada",))


def test_a_decision_still_to_come_has_not_happened() -> None:
    verdict = judge_approvals(facts([rule()], [ADA], decide("Ada", hours_ago=-1)), NOON)
    assert (verdict.met, verdict.rules["release"].can_still_act) == (False, ("Ada",))


def test_an_approval_counts_from_its_own_instant() -> None:
    assert judge_approvals(facts([rule()], [ADA], decide("Ada", hours_ago=0)), NOON).met


def test_nobody_may_decide_where_there_are_no_rules() -> None:
    verdict = judge_approvals(facts([], [ADA], decide("Ada", REJECT, comment="No.")), NOON)
    assert (verdict.met, verdict.rejected, verdict.refused) == (True, False, ("Ada",))


def test_distinct_a_person_whose_approval_counts_elsewhere_cannot_still_act() -> None:
    both = person("Ada", "release", "security")
    rules = [rule("release"), rule("security")]
    verdict = judge_approvals(facts(rules, [both], decide("Ada"), distinct=True), NOON)
    assert verdict.rules["security"].can_still_act == ()
    assert verdict.deadlock


def test_approving_again_would_lose_the_rule_the_person_left() -> None:
    """Ada's approval ran out for release; a new one would no longer count for security."""
    rules = [rule("release", expires=HOUR), rule("security")]
    approved = decide("Ada", groups=frozenset({"release", "security"}), hours_ago=2)
    alone = judge_approvals(facts(rules, [ADA], approved), NOON)
    assert alone.rules["release"].can_still_act == ("Ada",)
    assert alone.deadlock
    assert not judge_approvals(facts(rules, [ADA, BO], approved), NOON).deadlock


def test_rules_that_are_met_are_no_deadlock_though_a_new_approval_would_lose_one() -> None:
    rules = [rule("release"), rule("security")]
    approved = decide("Ada", groups=frozenset({"security"}), hours_ago=2)
    verdict = judge_approvals(facts(rules, [ADA, BO], approved, decide("Bo")), NOON)
    assert (verdict.met, verdict.deadlock) == (True, False)


def test_a_rule_that_does_not_bind_needs_nobody_and_lets_nobody_in() -> None:
    one = facts([rule(binds=False)], [ADA], decide("Ada"))
    verdict = judge_approvals(one, NOON)
    assert (verdict.met, verdict.deadlock, verdict.refused) == (True, False, ("Ada",))


def test_an_approval_stored_with_its_rules_stays_when_the_facts_change() -> None:
    stored = decide("Ada", let_in_by=frozenset({"release"}))
    later = facts([rule()], [ADA], stored, authors=frozenset({"Ada"}))
    assert judge_approvals(later, NOON).met


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="one name"):
        judge_approvals(facts([rule(), rule()], []), NOON)


CARE = person("Cleo", "platform")


def test_a_fallback_lets_nobody_in_while_enough_others_may() -> None:
    judged = facts([rule(fallback="platform")], [ADA, CARE], decide("Cleo"))
    verdict = judge_approvals(judged, NOON)
    assert (verdict.refused, verdict.rules["release"].fallback_open) == (("Cleo",), False)


def test_a_fallback_opens_when_too_few_may_and_stays_open_when_used() -> None:
    judged = facts([rule(count=2, fallback="platform")], [ADA, CARE])
    verdict = judge_approvals(judged, NOON)
    assert verdict.rules["release"].can_still_act == ("Ada", "Cleo")
    assert not verdict.deadlock
    used = judge_approvals(replace(judged, decisions=(decide("Cleo"), decide("Ada"))), NOON)
    assert used.met
    assert used.rules["release"].fallback_open


def test_who_is_let_in_through_a_fallback_is_said_so() -> None:
    judged = facts([rule(fallback="platform")], [CARE])
    admission = admit_decision(judged, decide("Cleo"))
    assert admission.refusal is None
    assert admission.through_fallback == admission.let_in_by == {"release"}


def test_a_fallback_does_not_let_in_whom_the_rule_excludes() -> None:
    judged = facts([rule(fallback="platform")], [CARE], requesters=frozenset({"Cleo"}))
    assert judge_approvals(judged, NOON).deadlock
    assert refuse_decision(judged, decide("Cleo")) is not None


def test_distinct_a_fallback_opens_where_the_rules_together_lack_people() -> None:
    both = person("Ada", "release", "security")
    rules = [rule("release", fallback="platform"), rule("security")]
    verdict = judge_approvals(facts(rules, [both, CARE], distinct=True), NOON)
    assert verdict.rules["release"].fallback_open
    assert not verdict.deadlock


@pytest.mark.parametrize(
    ("decision", "more", "words"),
    [
        (decide("Ada", REJECT, comment=" "), {}, "needs a comment"),
        (decide("Ada", WITHDRAW), {}, "no approval here to withdraw"),
        (decide("Nils"), {}, "lets Nils in"),
        (decide("Ada"), {"requesters": frozenset({"Ada"})}, "asked for this promotion"),
        (decide("Ada"), {"authors": frozenset({"Ada"})}, "wrote part"),
        (decide("Ada"), {"decisions": (decide("Bo", REJECT, 2, comment="No."),)}, "was rejected"),
    ],
)
def test_a_refusal_says_why(decision: Decision, more: dict[str, Any], words: str) -> None:
    judged = replace(facts([rule()], [ADA, BO]), **more)
    assert words in (refuse_decision(judged, decision) or "")


def test_a_good_decision_is_not_refused() -> None:
    assert refuse_decision(facts([rule()], [ADA]), decide("Ada")) is None


GROUPS = ("g", "h")
rules_drawn = st.lists(
    st.builds(
        lambda count, groups, exclude, hours: rule(
            "r", count, groups=groups, exclude=frozenset(exclude), expires=hours * HOUR
        ),
        st.integers(0, 2),
        st.sets(st.sampled_from(GROUPS), min_size=1),
        st.sets(st.sampled_from(Exclusion)),
        st.integers(1, 12),
    ),
    max_size=3,
).map(lambda rules: [replace(each, name=f"r{n}") for n, each in enumerate(rules)])
people_drawn = st.lists(st.sets(st.sampled_from(GROUPS)), min_size=1, max_size=4).map(
    lambda drawn: [person("abcd"[n], *groups) for n, groups in enumerate(drawn)]
)
decisions_drawn = st.lists(
    st.builds(
        decide,
        st.sampled_from("abcde"),
        st.sampled_from(DecisionKind),
        st.integers(0, 14),
        content_hash=st.sampled_from(["now", "now", "then"]),
        comment=st.sampled_from(["", "Because."]),
        groups=st.none() | st.frozensets(st.sampled_from(GROUPS)),
    ),
    max_size=6,
).map(lambda drawn: sorted(drawn, key=lambda each: each.at))
facts_drawn = st.builds(
    lambda rules, people, decisions, distinct: facts(
        rules, people, *decisions, distinct=distinct, requesters=frozenset({"a"})
    ),
    rules_drawn,
    people_drawn,
    decisions_drawn,
    st.booleans(),
)


@given(facts_drawn)
def test_more_approvals_never_unmeet_and_all_that_can_act_meet_unless_deadlocked(
    judged: ApprovalFacts,
) -> None:
    judged = replace(judged, decisions=tuple(d for d in judged.decisions if d.groups is None))
    before = judge_approvals(judged, NOON)
    able = {name for verdict in before.rules.values() for name in verdict.can_still_act}
    more = tuple(decide(name, hours_ago=0) for name in sorted(able))
    after = judge_approvals(replace(judged, decisions=(*judged.decisions, *more)), NOON)
    assert set(after.refused) == set(before.refused)
    if before.rejected:
        assert not after.met
    else:
        assert after.met >= before.met
        assert after.met is not before.deadlock


@given(facts_drawn)
def test_the_verdict_holds_together(judged: ApprovalFacts) -> None:
    verdict = judge_approvals(judged, NOON)
    for each in verdict.rules.values():
        assert each.given == len(set(each.counted)) <= each.needed
        assert each.met == (each.given >= each.needed)
        assert not set(each.can_still_act) & set(each.counted)
    assert verdict.met == (not verdict.rejected and all(r.met for r in verdict.rules.values()))
    if verdict.met or verdict.rejected:
        assert not verdict.deadlock
    if judged.distinct:
        used = [name for each in verdict.rules.values() for name in each.counted]
        assert len(used) == len(set(used))
    if verdict.rejected:
        assert not any(each.can_still_act for each in verdict.rules.values())
