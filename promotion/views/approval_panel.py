"""The approval panel: the seats, who may take one, and what pressing the button does."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from promotion.actions.readiness import judge_results
from promotion.gates.approval import ApprovalFacts, approval_facts
from promotion.gates.asked import gates_asked_for
from promotion.models import Approval, Promotion, User
from promotion.rules.content import differing_fields
from promotion.rules.readiness import Readiness
from promotion.rules.states import State

from .changes import commits_by

CONTENT_WORDS = {
    "artifacts": "the artifacts' digests",
    "from": "the stages it comes from",
    "to": "the environment",
    "pipeline_version": "the version of the pipeline",
    "config_digest": "what the steps do",
    "kind": "the kind of promotion",
    "service": "the service",
}


@dataclass(frozen=True, slots=True)
class Seat:
    """One needed approval: given by a person, or open; `note` says from whom or by which rule."""

    person: User | None
    at: datetime | None
    text: str
    note: str
    decided_on: str = ""
    """The readiness it was decided on, in words; empty where none was kept."""


@dataclass(frozen=True, slots=True)
class StaleApproval:
    """An approval of other content, with what has changed since."""

    person: User
    at: datetime
    changed: str


@dataclass(slots=True)
class ApprovalPanel:
    """All the panel shows. `refusal` says why this person may not approve; empty where they may."""

    facts: ApprovalFacts
    seats: list[Seat] = field(default_factory=list)
    given: int = 0
    needed: int = 0
    stale: list[StaleApproval] = field(default_factory=list)
    refusal: str = ""
    readiness: Readiness | None = None
    """Of a waiting one whose gates were evaluated: what a decision now would be made on."""
    own: Approval | None = None
    """The person's approval that counts, which they may withdraw."""

    @property
    def is_met(self) -> bool:
        """Nobody's approval is missing."""
        return self.facts.verdict.met

    @property
    def lacking(self) -> int:
        """How many approvals are still needed."""
        return max(self.needed - self.given, 0)


def asks_approval(promotion: Promotion) -> bool:
    """Whether the stage asks anybody's approval for this kind of promotion."""
    stage = promotion.pipeline_version.form.stage(promotion.stage)
    return any(gate.kind == "approval" for gate in gates_asked_for(stage, promotion.kind))


def approval_panel(promotion: Promotion, person: User, at: datetime) -> ApprovalPanel:
    """The panel as the person sees it; of one that has started or ended, as it stood then."""
    is_waiting = promotion.state == State.WAITING
    facts = approval_facts(
        promotion, at if is_waiting else promotion.started_at or promotion.ended_at or at
    )
    panel = ApprovalPanel(facts)
    latest = {row.person_id: row for row in promotion.approvals.select_related("person")}
    standing = {
        row.person.get_username(): row
        for row in latest.values()
        if row.decision == Approval.Decision.APPROVE
    }
    for name, rule in facts.verdict.rules.items():
        if not rule.binds:
            continue
        panel.needed += rule.needed
        panel.given += len(rule.counted)
        panel.seats += [_taken(standing[one], name) for one in rule.counted if one in standing]
        if rule.needed > len(rule.counted) and is_waiting:
            panel.seats.append(_open_seat(facts, name))
    panel.stale = [
        _stale(standing[one], promotion) for one in facts.verdict.stale if one in standing
    ]
    counted = {one for rule in facts.verdict.rules.values() for one in rule.counted}
    panel.own = standing.get(person.get_username()) if person.get_username() in counted else None
    results = promotion.gate_results.all() if is_waiting else ()
    if results:
        panel.readiness = judge_results(results)
    if is_waiting and panel.own is None:
        panel.refusal = why_not(facts, person)
    return panel


def seats_to_fill(promotion: Promotion, at: datetime) -> tuple[list[Seat], bool]:
    """Of a request that nobody has decided yet: one seat a rule that binds, and whether too few may sit."""
    if not asks_approval(promotion):
        return [], False
    facts = approval_facts(promotion, at)
    seats = [
        replace(_open_seat(facts, name), text=f"{rule.needed} from {name}")
        for name, rule in facts.verdict.rules.items()
        if rule.binds
    ]
    return seats, facts.verdict.deadlock


def _taken(approval: Approval, rule: str) -> Seat:
    return Seat(
        approval.person,
        approval.at,
        f"{approval.person.name} approved",
        rule,
        decided_on=say_readiness(approval.readiness),
    )


def say_readiness(kept: Mapping[str, Any]) -> str:
    """The verdict kept with a decision, in words; empty where none was."""
    return f"Decided on: {kept['verdict']}. {kept['reason']}" if kept else ""


def _open_seat(facts: ApprovalFacts, name: str) -> Seat:
    rule = facts.verdict.rules[name]
    more = rule.needed - len(rule.counted)
    able = names_of(facts, rule.can_still_act)
    note = f"{_either(able)} can approve" if able else "Nobody is left who may"
    if able and len(able) < more:
        note = f"Only {_either(able)} {'is' if len(able) == 1 else 'are'} left who may"
    if rule.fallback_open:
        note += ", through the fallback"
    return Seat(None, None, f"{more} more, from {name}", note)


def _stale(approval: Approval, promotion: Promotion) -> StaleApproval:
    names = differing_fields(approval.content or {}, promotion.content or {})
    words = [CONTENT_WORDS.get(name, name) for name in names]
    return StaleApproval(approval.person, approval.at, ", ".join(words) or "the content")


def why_not(facts: ApprovalFacts, person: User) -> str:
    """Why the person may not approve, and who can; empty where they may."""
    admission = facts.admit(person, Approval.Decision.APPROVE, "")
    if admission.refusal is None:
        return ""
    verdict = facts.verdict
    able = {one for rule in verdict.rules.values() if not rule.met for one in rule.can_still_act}
    names = names_of(facts, tuple(sorted(able)))
    others = f"{_either(names)} can approve." if names else "Nobody is left who may."
    return f"{_because(facts, person)} {others}"


def _because(facts: ApprovalFacts, person: User) -> str:
    name, groups = person.get_username(), facts.groups_of(person)
    if not any(rule.binds and groups & rule.groups for rule in facts.facts.rules):
        return "No approval rule of this promotion lets you in."
    deeds = []
    if name in facts.authors.people:
        wrote = commits_by(person, facts.authors.commits)
        deeds.append(f"You wrote {wrote} of the {len(facts.authors.commits)} commits.")
    if name in facts.facts.requesters:
        deeds.append("You asked for this promotion.")
    if name in facts.facts.policy_editors:
        deeds.append("You changed its pipeline lately.")
    return " ".join(deeds)


def names_of(facts: ApprovalFacts, usernames: tuple[str, ...]) -> list[str]:
    """The people's names, in their order."""
    return [facts.people[one].name for one in usernames if one in facts.people]


def _either(names: list[str]) -> str:
    """Ada, Ben or 4 others."""
    if len(names) > 4:
        return f"{', '.join(names[:3])} or {len(names) - 3} others"
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
