"""The approval gate, and the facts that approval rules are judged by."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from promotion.models import Approval, Promotion, User
from promotion.rules import approval as rules
from promotion.rules.expressions import tell
from promotion.rules.pipeline import ApprovalForm

from .asked import approval_rules
from .authors import Authors, authors_of, policy_editors_of, requesters_of
from .base import GateContext, GateOutcome, Verdict
from .facts import facts_of


@dataclass(frozen=True)
class ApprovalFacts:
    """One promotion's rules, people and decisions, read once."""

    facts: rules.ApprovalFacts
    forms: tuple[ApprovalForm, ...]
    people: Mapping[str, User]
    authors: Authors
    groups: Mapping[str, frozenset[str]]
    at: datetime

    @cached_property
    def verdict(self) -> rules.ApprovalVerdict:
        """How the rules stand now."""
        return rules.judge_approvals(self.facts, self.at)

    def groups_of(self, person: User) -> frozenset[str]:
        """What the person is now, as rules write it."""
        return self.groups.get(person.get_username(), frozenset())

    def admit(self, person: User, decision: str, comment: str) -> rules.Admission:
        """Whether a decision made now would be accepted, and which rules let the person in."""
        return rules.admit_decision(
            self.facts,
            rules.Decision(
                by=person.get_username(),
                decision=rules.DecisionKind(decision),
                at=self.at,
                content_hash=self.facts.content_hash,
                comment=comment,
                groups=self.groups_of(person),
            ),
        )

    def eligible(self) -> dict[str, list[str]]:
        """Per rule: the people who can still act on it, kept with a decision."""
        return {name: list(rule.can_still_act) for name, rule in self.verdict.rules.items()}


def approval_facts(promotion: Promotion, at: datetime) -> ApprovalFacts:
    """Reads everything the rules of the promotion's stage ask about."""
    stage = promotion.pipeline_version.form.stage(promotion.stage)
    forms = approval_rules(stage, promotion.kind)
    people = {person.get_username(): person for person in people_for(forms, promotion)}
    groups = {name: groups_of(person, promotion) for name, person in people.items()}
    authors = authors_of(promotion)
    facts = rules.ApprovalFacts(
        rules=_rules(forms, promotion, at),
        people=tuple(rules.Person(name, groups[name]) for name in sorted(people)),
        content_hash=promotion.content_hash,
        decisions=tuple(_decision(row) for row in promotion.approvals.select_related("person")),
        requesters=frozenset(requesters_of(promotion)),
        authors=authors.people,
        policy_editors=frozenset(policy_editors_of(promotion, at)),
        distinct=stage.distinct,
    )
    return ApprovalFacts(facts, forms, people, authors, groups, at)


def approvals_given(promotion: Promotion, at: datetime) -> rules.ApprovalVerdict:
    """How the rules stand by the decisions on record alone; who could still act is left out.

    It costs no query where `approvals__person` was prefetched, so that a list can show it; a rule
    with a `when` needs the promotion's facts.
    """
    stage = promotion.pipeline_version.form.stage(promotion.stage)
    facts = rules.ApprovalFacts(
        rules=_rules(approval_rules(stage, promotion.kind), promotion, at),
        people=(),
        content_hash=promotion.content_hash,
        decisions=tuple(_decision(row) for row in promotion.approvals.all()),
        distinct=stage.distinct,
    )
    return rules.judge_approvals(facts, at)


def people_for(forms: Sequence[ApprovalForm], promotion: Promotion) -> list[User]:
    """Everybody one of the rules may let in, and those who have decided already."""
    entries = {
        entry
        for form in forms
        for entry in (*form.from_, *([form.fallback] if form.fallback else []))
    }
    names = [entry.removeprefix("user:") for entry in entries if entry.startswith("user:")]
    group_names = [
        entry.removeprefix("group:")
        for entry in entries
        if ":" not in entry or entry.startswith("group:")
    ]
    has_roles = any(entry.startswith(("role:", "team:")) for entry in entries)
    found = User.objects.filter(is_active=True, username__in=names)
    found |= User.objects.filter(is_active=True, groups__name__in=group_names)
    found |= User.objects.filter(pk__in=promotion.approvals.values("person"))
    if has_roles:
        roles = [
            entry.rpartition(":")[2] for entry in entries if entry.startswith(("role:", "team:"))
        ]
        found |= User.objects.filter(is_active=True, memberships__role__in=roles)
    return list(found.distinct().prefetch_related("memberships__team", "groups"))


def groups_of(person: User, promotion: Promotion) -> frozenset[str]:
    """The person as rules write it: user:ada, group:security (or security), role:…, team:pricing:…."""
    if not person.is_active:
        return frozenset()  # what was decided stands; nothing more can be
    team = promotion.service.team
    names = {f"user:{person.get_username()}"}
    for group in person.groups.all():
        names |= {group.name, f"group:{group.name}"}
    names |= {f"role:{role}" for role in person.roles_in(team)}
    names |= {f"team:{row.team.slug}:{row.role}" for row in person.memberships.all() if row.team}
    return frozenset(names)


def _rules(
    forms: Sequence[ApprovalForm], promotion: Promotion, at: datetime
) -> tuple[rules.ApprovalRule, ...]:
    """The rules, each with whether it binds: while its `when` is true, and where that cannot be told."""
    has_conditions = any(form.when is not None for form in forms)
    facts = facts_of(promotion, at) if has_conditions else {}
    return tuple(
        _rule(form, binds=form.when is None or tell(form.when, facts).answer is not False)
        for form in forms
    )


def _rule(form: ApprovalForm, *, binds: bool) -> rules.ApprovalRule:
    return rules.ApprovalRule(
        name=form.name,
        count=form.count,
        groups=frozenset(form.from_),
        exclude=frozenset(rules.Exclusion(name) for name in form.exclude),
        expires=form.expires,
        fallback=form.fallback,
        binds=binds,
    )


def _decision(row: Approval) -> rules.Decision:
    return rules.Decision(
        by=row.person.get_username(),
        decision=rules.DecisionKind(row.decision),
        at=row.at,
        content_hash=row.content_hash,
        comment=row.comment,
        groups=frozenset(row.groups),
        let_in_by=frozenset(row.let_in_by) if row.let_in_by else None,
    )


FRESH_FOR = timedelta(seconds=30)


class ApprovalGate:
    """Open when all approval rules are met; closed when they no longer can be."""

    kind = "approval"
    title = "Approval"
    is_costly = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """The rules stand in the stage's `approvals`."""
        return [
            (key, f"The approval gate has no setting {key}; rules stand under approvals.")
            for key in settings
        ]

    def evaluate(self, context: GateContext) -> GateOutcome:
        """The reason names what is missing and who can give it."""
        facts = approval_facts(context.promotion, context.at)
        verdict = facts.verdict
        if verdict.met:
            counted = sorted({name for rule in verdict.rules.values() for name in rule.counted})
            names = ", ".join(facts.people[name].name for name in counted if name in facts.people)
            return GateOutcome(
                Verdict.OPEN, f"Approved by {names}." if names else "Nobody's approval is needed."
            )
        reason = " ".join(
            missing_sentence(name, rule, facts.people)
            for name, rule in verdict.rules.items()
            if not rule.met
        )
        able = {
            one for rule in verdict.rules.values() if not rule.met for one in rule.can_still_act
        }
        closed = Verdict.CLOSED if verdict.deadlock else Verdict.WAITING
        lacking = tuple(name for name, rule in verdict.rules.items() if not rule.met)
        return GateOutcome(
            closed, reason, people=tuple(sorted(able)), fresh_for=FRESH_FOR, lacking=lacking
        )


def missing_sentence(name: str, rule: rules.RuleVerdict, people: Mapping[str, User]) -> str:
    """What one rule still lacks, in a sentence."""
    lacking = rule.needed - rule.given
    able = [people[one].name for one in rule.can_still_act if one in people]
    if len(able) < lacking:
        left = (
            f"{len(able)} {'person' if len(able) == 1 else 'people'} left who may"
            if able
            else "nobody is left who may"
        )
        return f"{lacking} needed from {name}, {left}."
    return f"Waits for {lacking} from {name}: {_one_of(able)}."


def _one_of(names: Sequence[str], shown: int = 3) -> str:
    """'A', 'A or B', 'A, B, C or 2 others'."""
    rest = len(names) - shown
    if rest > 0:
        last = f"{rest} {'other' if rest == 1 else 'others'}"
        return f"{', '.join(names[:shown])} or {last}"
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
