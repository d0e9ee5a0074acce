"""Cases for the rules of promotion, run through the functions the product itself calls."""

from collections.abc import Callable
from datetime import datetime, timedelta
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

from metrics.vectors.automation import run_auto
from metrics.vectors.comparing import compare, read_time
from metrics.vectors.queues import run_queue
from promotion.rules.approval import (
    ApprovalFacts,
    ApprovalRule,
    Decision,
    DecisionKind,
    Exclusion,
    Person,
    judge_approvals,
)
from promotion.rules.availability import (
    Availability,
    OrderFacts,
    Run,
    Upstream,
    Verification,
    judge_availability,
)
from promotion.rules.states import State, may_move
from promotion.rules.windows import Window, judge_windows

Case = dict[str, Any]


def run_approval(case: Case, fixtures: Path | None) -> list[str]:
    """Judge the approval rules of one promotion."""
    given = case["given"]
    facts = ApprovalFacts(
        rules=tuple(_read_rule(rule) for rule in given["rules"]),
        people=tuple(Person(p["name"], frozenset(p["groups"])) for p in given["people"]),
        content_hash=given["content_hash"],
        decisions=tuple(_read_decision(decision) for decision in given["decisions"]),
        requesters=frozenset([given["requester"]] if given.get("requester") else []),
        authors=frozenset(given.get("authors", [])),
        policy_editors=frozenset(given.get("policy_editors", [])),
        distinct=given.get("distinct", False),
    )
    verdict = judge_approvals(facts, read_time(given["now"]))
    parts = attrgetter("given", "needed", "met", "can_still_act")
    keys = ("given", "needed", "met", "can_still_act")
    rules = {n: dict(zip(keys, parts(rule), strict=True)) for n, rule in verdict.rules.items()}
    actual = {
        "met": verdict.met,
        "rejected": verdict.rejected,
        "rules": rules,
        "stale": verdict.stale,
        "deadlock": verdict.deadlock,
        "refused": verdict.refused,
    }
    return compare(case["expect"], actual)


def _read_rule(rule: Case) -> ApprovalRule:
    options: dict[str, Any] = {}
    if "exclude" in rule:
        options["exclude"] = frozenset(Exclusion(who) for who in rule["exclude"])
    if "expires_hours" in rule:
        options["expires"] = timedelta(hours=rule["expires_hours"])
    return ApprovalRule(rule["name"], rule["count"], frozenset(rule["from"]), **options)


def _read_decision(decision: Case) -> Decision:
    groups = decision.get("groups")
    return Decision(
        by=decision["by"],
        decision=DecisionKind(decision["decision"]),
        at=read_time(decision["at"]),
        content_hash=decision["content_hash"],
        comment=decision.get("comment") or "",
        groups=None if groups is None else frozenset(groups),
    )


def run_window(case: Case, fixtures: Path | None) -> list[str]:
    """Judge allow and deny windows at one instant."""
    given = case["given"]
    allow, deny = (
        [_read_window(window) for window in given.get(side) or []] for side in ("allow", "deny")
    )
    state = judge_windows(allow, deny, read_time(given["now"]))
    return compare(case["expect"], {"open": state.open, "next_change": state.next_change})


def _read_window(window: Case) -> Window:
    minutes = window.get("duration_minutes")
    return Window(
        start=datetime.fromisoformat(window["start"]),
        zone=window["zone"],
        duration=None if minutes is None else timedelta(minutes=minutes),
        rrule=window.get("rrule"),
    )


def run_availability(case: Case, fixtures: Path | None) -> list[str]:
    """Judge whether a release may enter a stage."""
    given = case["given"]
    stage = given["stage"]
    facts = OrderFacts(
        release=given["release"],
        upstream=tuple(_read_upstream(given, name) for name in stage["upstream"]),
        availability=Availability(stage.get("availability", "all")),
        belongs=given.get("belongs", True),
        built=given.get("built", True),
        require_build=stage.get("require_build", False),
        waived=given.get("waived", False),
    )
    verdict = judge_availability(facts, read_time(given["now"]))
    actual = {"available": verdict.available, "earliest": verdict.earliest}
    return compare(case["expect"], actual)


def _read_upstream(given: Case, name: str) -> Upstream:
    stage, release = given["stage"], given["release"]

    def here(facts: list[Case] | None) -> list[Case]:
        wanted = (name, release)
        return [f for f in facts or [] if itemgetter("environment", "release")(f) == wanted]

    return Upstream(
        name=name,
        soak=timedelta(minutes=stage.get("soak_minutes", {}).get(name, 0)),
        verifies=name in stage.get("verifies", []),
        runs=tuple(_read_run(run) for run in given["runs"].get(name, [])),
        failed_at=tuple(read_time(fact["at"]) for fact in here(given.get("failed"))),
        verifications=tuple(
            Verification(read_time(fact["at"]), fact["passed"])
            for fact in here(given.get("verifications"))
        ),
    )


def _read_run(run: Case) -> Run:
    to_at = read_time(run["to"]) if run.get("to") else None
    return Run(run["release"], read_time(run["from"]), to_at)


def run_transitions(case: Case, fixtures: Path | None) -> list[str]:
    """Judge whether one move between states is allowed."""
    given = case["given"]
    allowed = may_move(State(given["from"]), State(given["to"]))
    return compare(case["expect"], {"allowed": allowed})


RUNNERS: dict[str, Callable[[Case, Path | None], list[str]]] = {
    "approval": run_approval,
    "window": run_window,
    "availability": run_availability,
    "transitions": run_transitions,
    "auto": run_auto,
    "queue": run_queue,
}
