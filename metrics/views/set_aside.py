"""The facts that no figure counts, looked up to be shown."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from metrics.facts import split_fact_id
from promotion.models import Build, Deployment, Incident, Observation, Promotion


@dataclass(frozen=True, slots=True)
class SetAsideFact:
    """One fact: what it is, whose, and its times."""

    kind: str
    name: str
    service: str
    environment: str
    started_at: datetime | None
    ended_at: datetime | None
    received_at: datetime | None


READS = {
    "deployment": (Deployment, "external_id", "started_at", "finished_at", "received_at"),
    "observation": (Observation, "digest", "seen_at", "seen_at", "received_at"),
    "promotion": (Promotion, "stage", "started_at", "ended_at", "asked_at"),
    "incident": (Incident, "title", "opened_at", "resolved_at", "received_at"),
    "build": (Build, "external_id", "started_at", "finished_at", "received_at"),
}


def find_set_aside(fact_ids: Iterable[str]) -> list[SetAsideFact]:
    """The facts of these ids, in their order; one query for each kind among them."""
    wanted = [found for found in map(split_fact_id, fact_ids) if found]
    keys: dict[str, list[int]] = defaultdict(list)
    for kind, key in wanted:
        keys[kind].append(key)
    facts: dict[tuple[str, int], SetAsideFact] = {}
    for kind, found in keys.items():
        model, *columns = READS[kind]
        places = ["service__slug"] if kind == "build" else ["service__slug", "environment__slug"]
        rows = model._default_manager.filter(pk__in=found)
        for key, name, start, end, received, *place in rows.values_list("pk", *columns, *places):
            service, environment = (*place, "")[:2]
            facts[kind, key] = SetAsideFact(
                kind,
                str(name) if kind != "promotion" else f"P-{key}",
                service or "",
                environment or "",
                start,
                end,
                received,
            )
    return [facts[each] for each in wanted if each in facts]
