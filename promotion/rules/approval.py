"""Approval rules: is a decision accepted, and are the rules of a waiting promotion met."""

from dataclasses import dataclass, replace
from datetime import datetime

from promotion.exceptions import InputError
from promotion.rules.approval_facts import (
    ApprovalFacts,
    ApprovalRule,
    Decision,
    DecisionKind,
    Exclusion,
    Person,
    Record,
)
from promotion.rules.approval_people import (
    can_be_met,
    groups_of,
    lets_in,
    list_able,
    list_counting,
    open_fallbacks,
)
from promotion.rules.assignment import assign_people

__all__ = [
    "Admission",
    "ApprovalFacts",
    "ApprovalRule",
    "ApprovalVerdict",
    "Decision",
    "DecisionKind",
    "Exclusion",
    "Person",
    "RuleVerdict",
    "admit_decision",
    "judge_approvals",
    "refuse_decision",
]


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """How one rule stands; `counted` are the people whose approvals it uses."""

    given: int
    needed: int
    met: bool
    can_still_act: tuple[str, ...]
    fallback_open: bool
    counted: tuple[str, ...]
    binds: bool


@dataclass(frozen=True, slots=True)
class ApprovalVerdict:
    """How the rules stand together; names are sorted, each once."""

    met: bool
    rejected: bool
    rules: dict[str, RuleVerdict]
    stale: tuple[str, ...]
    refused: tuple[str, ...]
    deadlock: bool


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a decision is accepted, and what to store with it if it is."""

    refusal: str | None
    let_in_by: frozenset[str] = frozenset()
    through_fallback: frozenset[str] = frozenset()


def judge_approvals(facts: ApprovalFacts, now: datetime) -> ApprovalVerdict:
    """Judge all approval rules of a waiting promotion; InputError if two rules share a name."""
    if len({rule.name for rule in facts.rules}) != len(facts.rules):
        raise InputError("Two approval rules have one name; give each a name of its own.")
    record = _replay(facts, now)
    opened = frozenset() if record.rejected else open_fallbacks(facts, record, now)
    counted = _count(facts, record, now)
    rules = {
        rule.name: RuleVerdict(
            given=len(names),
            needed=rule.count,
            met=not rule.binds or len(names) >= rule.count,
            can_still_act=() if record.rejected else list_able(facts, record, rule, opened, now),
            fallback_open=rule.name in opened,
            counted=names,
            binds=rule.binds,
        )
        for rule, names in zip(facts.rules, counted, strict=True)
    }
    stale = (n for n, a in record.approvals.items() if a.content_hash != facts.content_hash)
    return ApprovalVerdict(
        met=not record.rejected and all(verdict.met for verdict in rules.values()),
        rejected=record.rejected,
        rules=rules,
        stale=tuple(sorted(stale)),
        refused=tuple(sorted(record.refused)),
        deadlock=not record.rejected and not can_be_met(facts, record, opened, now),
    )


def admit_decision(facts: ApprovalFacts, decision: Decision) -> Admission:
    """Say whether a new decision is accepted, given all that were made up to its time."""
    return _admit(facts, _replay(facts, decision.at), decision)


def refuse_decision(facts: ApprovalFacts, decision: Decision) -> str | None:
    """The sentence why a new decision is refused; None if it is accepted."""
    return admit_decision(facts, decision).refusal


def _replay(facts: ApprovalFacts, until: datetime) -> Record:
    record = Record()
    happened = [decision for decision in facts.decisions if decision.at <= until]
    for decision in sorted(happened, key=lambda each: each.at):
        admission = _admit(facts, record, decision)
        if admission.refusal is not None:
            record.refused.add(decision.by)
            continue
        record.approvals.pop(decision.by, None)
        if decision.decision is DecisionKind.APPROVE:
            record.approvals[decision.by] = replace(decision, let_in_by=admission.let_in_by)
        record.rejected |= decision.decision is DecisionKind.REJECT
    return record


def _admit(facts: ApprovalFacts, record: Record, decision: Decision) -> Admission:
    if record.rejected:
        return Admission("This promotion was rejected, which is final; ask for the release again.")
    if decision.decision is DecisionKind.WITHDRAW:
        # Not only whom a rule lets in now: who left a group may still take back what stands.
        has_one = decision.by in record.approvals
        return Admission(None if has_one else f"{decision.by} has no approval here to withdraw.")
    admission = _let_in(facts, record, decision)
    if not admission.let_in_by:
        return Admission(_say_not_let_in(facts, decision))
    if decision.decision is DecisionKind.REJECT and not decision.comment.strip():
        return Admission("A rejection needs a comment; say why, in a sentence.")
    return admission


def _let_in(facts: ApprovalFacts, record: Record, decision: Decision) -> Admission:
    if decision.let_in_by is not None:
        return Admission(None, decision.let_in_by)
    groups = groups_of(facts, decision)
    regular = {r.name for r in facts.rules if lets_in(facts, r, decision.by, groups)}
    opened = open_fallbacks(facts, record, decision.at)
    all_ = {r.name for r in facts.rules if lets_in(facts, r, decision.by, groups, opened)}
    return Admission(None, frozenset(all_), frozenset(all_ - regular))


def _say_not_let_in(facts: ApprovalFacts, decision: Decision) -> str:
    groups = groups_of(facts, decision)
    if any(rule.binds and groups & rule.groups for rule in facts.rules):
        named = (
            ("asked for this promotion", facts.requesters),
            ("wrote part of what it brings", facts.authors),
            ("changed its pipeline lately", facts.policy_editors),
        )
        deeds = " and ".join(deed for deed, people in named if decision.by in people)
        return f"{decision.by} {deeds}, which the rules exclude. Somebody else must decide."
    return (
        f"No approval rule of this promotion lets {decision.by} in."
        " Ask one of the people the rules name."
    )


def _count(facts: ApprovalFacts, record: Record, now: datetime) -> list[tuple[str, ...]]:
    counting = [list_counting(facts, record, rule, now) for rule in facts.rules]
    if not facts.distinct:
        pairs = zip(facts.rules, counting, strict=True)
        return [tuple(sorted(names[: rule.count])) for rule, names in pairs]
    # A rule that does not bind takes nobody from one that does.
    seats = [rule.count if rule.binds else 0 for rule in facts.rules]
    return list(assign_people(seats, counting))
