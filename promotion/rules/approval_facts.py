"""What approval rules are judged by: rules, people and decisions as plain values."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Exclusion(StrEnum):
    """Who a rule does not let in, whatever their groups."""

    REQUESTER = "requester"
    AUTHORS = "authors"
    POLICY_EDITORS = "policy_editors"


class DecisionKind(StrEnum):
    """What a person decided."""

    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """`count` people of `groups` must approve; `binds` is False while its `when` is false."""

    name: str
    count: int
    groups: frozenset[str]
    exclude: frozenset[Exclusion] = frozenset({Exclusion.REQUESTER, Exclusion.AUTHORS})
    expires: timedelta = timedelta(days=7)
    fallback: str | None = None
    binds: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """A person and all they are now: groups, roles, and themselves as rules write them."""

    name: str
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision as it was tried.

    `groups` are the person's groups then, `let_in_by` the rules that let the person in then;
    both are stored with a decision, and where they are None today's facts stand in for them.
    """

    by: str
    decision: DecisionKind
    at: datetime
    content_hash: str
    comment: str = ""
    groups: frozenset[str] | None = None
    let_in_by: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ApprovalFacts:
    """All that the approval rules of one promotion are judged by; people are as of now."""

    rules: tuple[ApprovalRule, ...]
    people: tuple[Person, ...]
    content_hash: str
    decisions: tuple[Decision, ...] = ()
    requesters: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    policy_editors: frozenset[str] = frozenset()
    distinct: bool = False


@dataclass(slots=True)
class Record:
    """The decisions so far: each person's standing approval with the rules that let them in."""

    approvals: dict[str, Decision] = field(default_factory=dict)
    rejected: bool = False
    refused: set[str] = field(default_factory=set)
