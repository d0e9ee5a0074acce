"""Whom approval rules let in, whose approval counts, and whether the rules can still be met."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import product

from promotion.rules.approval_facts import (
    ApprovalFacts,
    ApprovalRule,
    Decision,
    Exclusion,
    Record,
)
from promotion.rules.assignment import assign_people, can_fill_all


def lets_in(
    facts: ApprovalFacts,
    rule: ApprovalRule,
    name: str,
    groups: frozenset[str],
    opened: frozenset[str] = frozenset(),
) -> bool:
    """Whether the rule lets the person in: in its groups (or its open fallback) and not excluded."""
    if not rule.binds or name in _list_excluded(facts, rule):
        return False
    return bool(groups & rule.groups) or (rule.name in opened and rule.fallback in groups)


def _list_excluded(facts: ApprovalFacts, rule: ApprovalRule) -> frozenset[str]:
    named = {
        Exclusion.REQUESTER: facts.requesters,
        Exclusion.AUTHORS: facts.authors,
        Exclusion.POLICY_EDITORS: facts.policy_editors,
    }
    return frozenset().union(*(named[exclusion] for exclusion in rule.exclude))


def groups_of(facts: ApprovalFacts, decision: Decision) -> frozenset[str]:
    """The person's groups when deciding, where they are stored, else those of now."""
    if decision.groups is not None:
        return decision.groups
    return frozenset().union(*(p.groups for p in facts.people if p.name == decision.by))


def _counts(facts: ApprovalFacts, rule: ApprovalRule, approval: Decision, now: datetime) -> bool:
    return (
        rule.name in (approval.let_in_by or ())
        and approval.content_hash == facts.content_hash
        and approval.at <= now < approval.at + rule.expires
    )


def list_counting(
    facts: ApprovalFacts, record: Record, rule: ApprovalRule, now: datetime
) -> list[str]:
    """Whose approval counts for the rule, the earliest first; more than it needs, perhaps."""
    counting = [a for a in record.approvals.values() if _counts(facts, rule, a, now)]
    return [a.by for a in sorted(counting, key=lambda a: (a.at, a.by))]


def list_able(
    facts: ApprovalFacts,
    record: Record,
    rule: ApprovalRule,
    opened: frozenset[str],
    now: datetime,
) -> tuple[str, ...]:
    """Who can still act on the rule: whom it lets in now and of whom it counts no approval; sorted."""
    counting = set(list_counting(facts, record, rule, now))
    able = {p.name for p in facts.people if lets_in(facts, rule, p.name, p.groups, opened)}
    return tuple(sorted(able - counting))


def can_be_met(facts: ApprovalFacts, record: Record, opened: frozenset[str], now: datetime) -> bool:
    """Whether the rules could all be met if those who can still act approved."""
    rules = [rule for rule in facts.rules if rule.binds]
    counting = [set(list_counting(facts, record, rule, now)) for rule in rules]
    able = [set(list_able(facts, record, rule, opened, now)) for rule in rules]
    seats = [rule.count for rule in rules]
    if facts.distinct:
        return can_fill_all(seats, [sorted(c | a) for c, a in zip(counting, able, strict=True)])
    have = Counter({i: len(names) for i, names in enumerate(counting)})
    changes = _list_changes(facts, rules, counting, able, opened)
    return any(
        all(have[i] + gained[i] >= needed for i, needed in enumerate(seats))
        for gained in _sum_up(changes)
    )


def _list_changes(
    facts: ApprovalFacts,
    rules: Sequence[ApprovalRule],
    counting: Sequence[set[str]],
    able: Sequence[set[str]],
    opened: frozenset[str],
) -> Counter[tuple[int, ...]]:
    """What approving now would change, rule by rule, and how many people it is so for.

    A new approval replaces an earlier one, also where that counts for a rule that would no longer
    let the person in; then approving gains one rule and loses another.
    """
    people = {person.name: person for person in facts.people}
    changes: Counter[tuple[int, ...]] = Counter()
    for name in set().union(*able):
        entered = [lets_in(facts, r, name, people[name].groups, opened) for r in rules]
        pairs = zip(entered, counting, strict=True)
        changes[tuple(int(new) - int(name in names) for new, names in pairs)] += 1
    return changes


def _sum_up(changes: Counter[tuple[int, ...]]) -> Iterable[Counter[int]]:
    """The possible sums: all approve where nobody loses by it, else any number of them."""
    choices = [[n] if min(change) >= 0 else range(n + 1) for change, n in changes.items()]
    for numbers in product(*choices):
        gained: Counter[int] = Counter()
        for number, change in zip(numbers, changes, strict=True):
            for rule, by in enumerate(change):
                gained[rule] += number * by
        yield gained


def open_fallbacks(facts: ApprovalFacts, record: Record, at: datetime) -> frozenset[str]:
    """The rules for which too few of their own people can still act, and whose fallback helps.

    Approvals given through a fallback do not close it again.
    """
    rules = [rule for rule in facts.rules if rule.binds]
    if not any(rule.fallback for rule in rules):
        return frozenset()
    own = [_list_own(facts, record, rule, at) for rule in rules]
    short = {r.name for r, names in zip(rules, own, strict=True) if len(names) < r.count}
    seats = [rule.count for rule in rules]
    if facts.distinct and not can_fill_all(seats, own):
        seated = assign_people(seats, own)
        short = {r.name for r, names in zip(rules, seated, strict=True) if len(names) < r.count}
        if not any(rule.fallback for rule in rules if rule.name in short):
            # Another rule's fallback may set free a person whom the short rule needs.
            short = {rule.name for rule in rules}
    return frozenset(rule.name for rule in rules if rule.fallback and rule.name in short)


def _list_own(facts: ApprovalFacts, record: Record, rule: ApprovalRule, at: datetime) -> list[str]:
    """Who counts or could count for the rule by its own groups, without its fallback."""
    able = {p.name for p in facts.people if lets_in(facts, rule, p.name, p.groups)}
    counting = {
        a.by
        for a in record.approvals.values()
        if _counts(facts, rule, a, at) and groups_of(facts, a) & rule.groups
    }
    return sorted(able | counting)
