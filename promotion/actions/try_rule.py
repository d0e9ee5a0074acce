"""What a rule would make of the events there are, before it is saved. Nothing is written."""

from dataclasses import dataclass, replace
from typing import Any

from promotion.models import Environment, Event, Mapping, Service
from promotion.rules.mapping import NEEDS_ENVIRONMENT, Catalog, Place, Rule, find_place
from promotion.sources.base import Fact

from .ingest.mapping import read_catalog, rule_of, stored_rules, subject_of
from .map_events import check_rule
from .place_again import is_worth_again, stored_facts

SCANNED = 2000
SHOWN = 50
YOUNGEST = 2**62


@dataclass(frozen=True, slots=True)
class TriedFact:
    """One stored fact that the rule matches: where it belongs now, and where it would."""

    event: int
    summary: str
    kind: str
    said: str
    before: str
    after: str
    changes: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """The newest facts that match; how many events were looked at, match and would be processed again."""

    facts: tuple[TriedFact, ...]
    scanned: int
    matching: int
    changing: int


def try_rule(rule: Mapping) -> Tried:
    """Applies the rule to the newest kept events. InputError where the rule cannot be one."""
    check_rule(rule)
    tried = rule_of(rule)
    others = [one for one in stored_rules() if one.key != tried.key]
    before = read_catalog(rules=others if rule.pk is None else None)
    asked = [*others, _last(tried)] if rule.is_active else others
    after = Catalog(before.services, before.environments, asked)
    names = _Names()
    rows: Any = Event.objects.exclude(state=Event.State.RECEIVED).order_by("-pk")
    if rule.sender_id:
        rows = rows.filter(sender=rule.sender_id)
    found: list[TriedFact] = []
    scanned = matching = changing = 0
    for row in rows.values("pk", "sender_id", "summary", "outcome")[:SCANNED]:
        scanned += 1
        facts = [
            _try_fact(row, fact, line, (before, after), names)
            for fact, line in stored_facts(row["outcome"])
            if tried.is_matching(subject_of(fact, row["sender_id"]))
        ]
        matching += bool(facts)
        changing += any(one.changes for one in facts)
        found += facts[: SHOWN - len(found)]
    return Tried(tuple(found), scanned, matching, changing)


def _last(rule: Rule) -> Rule:
    """A rule that is not stored yet is the youngest of its priority."""
    return rule if rule.key else replace(rule, key=YOUNGEST)


def _try_fact(
    row: dict[str, Any],
    fact: Fact,
    line: dict[str, Any],
    catalogs: tuple[Catalog, Catalog],
    names: "_Names",
) -> TriedFact:
    subject = subject_of(fact, row["sender_id"])
    was, would = (find_place(subject, catalog) for catalog in catalogs)
    words = (fact.name, fact.repository, fact.service, fact.environment)
    changes = is_worth_again(fact.kind, line.get("place"), would)
    return TriedFact(
        row["pk"],
        row["summary"],
        fact.kind,
        ", ".join(dict.fromkeys(word for word in words if word)),
        names.tell(fact, was),
        # What has its place and is ignored by a later rule stays as it was recorded.
        names.tell(fact, would),
        changes,
    )


class _Names:
    """Names of services and environments by key, read once."""

    def __init__(self) -> None:
        self._services = dict(Service.objects.values_list("pk", "slug"))
        self._environments = dict(Environment.objects.values_list("pk", "slug"))

    def tell(self, fact: Fact, place: Place) -> str:
        """The place in words."""
        if place.is_ignored:
            return "ignored"
        service = self._services.get(place.service or 0)
        if service is None:
            return "no service"
        if fact.kind in NEEDS_ENVIRONMENT:
            environment = self._environments.get(place.environment or 0)
            return f"{service} in {environment}" if environment else f"{service}, no environment"
        if place.deploys_to and fact.result and (fact.external_id or fact.run_id):
            return f"{service}, deployed to {self._environments.get(place.deploys_to)}"
        return service
