"""Teams, environments, services and the stages of their pipelines, as facts."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from metrics.measures.base import (
    EnvironmentFact,
    PipelineFact,
    ServiceFact,
    StageFact,
    TeamFact,
)
from promotion.models import Environment, PipelineVersion, Service, Target, Team


def load_teams() -> tuple[TeamFact, ...]:
    """All teams and the team above each."""
    rows = Team.objects.order_by("slug").values_list("slug", "parent__slug")
    return tuple(TeamFact(slug, parent) for slug, parent in rows)


def load_environments() -> tuple[EnvironmentFact, ...]:
    """All environments, first to last stage, with their targets."""
    targets: dict[int, list[str]] = defaultdict(list)
    for key, name in Target.objects.order_by("name").values_list("environment", "name"):
        targets[key].append(name)
    rows = Environment.objects.order_by("rank", "slug").values_list(
        "pk", "slug", "tier", "watch_hours"
    )
    return tuple(
        EnvironmentFact(slug, tier, tuple(targets[key]), float(hours))
        for key, slug, tier, hours in rows
    )


def load_services(services: Collection[int] | None = None) -> tuple[ServiceFact, ...]:
    """The services (all, or those of the keys) with every version of their pipelines."""
    pipelines: dict[int, list[PipelineFact]] = defaultdict(list)
    versions = PipelineVersion.objects.order_by("pipeline", "number").values_list(
        "pipeline__service", "document", "applied_at"
    )
    found = Service.objects.order_by("slug")
    if services is not None:
        versions = versions.filter(pipeline__service__in=services)
        found = found.filter(pk__in=services)
    for service, document, applied_at in versions:
        pipelines[service].append(PipelineFact(read_stages(document), applied_at))
    return tuple(
        ServiceFact(slug, team, tuple(pipelines[key]))
        for key, slug, team in found.values_list("pk", "slug", "team__slug")
    )


def read_stages(document: Mapping[str, Any]) -> tuple[StageFact, ...]:
    """What each stage of a pipeline's normal form asks for, upstream before downstream."""
    stages = {stage["name"]: stage for stage in document.get("stages", ())}
    required: dict[str, frozenset[str]] = {}
    for name in stages:
        _require(name, stages, required)
    order = {stage["environment"]: place for place, stage in enumerate(stages.values())}
    facts = []
    for name in sorted(stages, key=lambda each: (len(required[each]), order[_place(stages, each)])):
        stage = stages[name]
        asked = {
            kind
            for gate in stage.get("gates", ())
            for kind, settings in gate.items()
            if not (settings or {}).get("advisory")
        }
        facts.append(
            StageFact(
                environment=stage["environment"],
                upstream=tuple(sorted(required[name], key=lambda place: order[place])),
                signature="signature" in asked,
                provenance="provenance" in asked,
                approvals=_count_approvals(stage.get("approvals", ())),
            )
        )
    return tuple(facts)


def _place(stages: Mapping[str, Any], name: str) -> str:
    return str(stages[name]["environment"])


def _require(
    name: str, stages: Mapping[str, Any], required: dict[str, frozenset[str]]
) -> frozenset[str]:
    """The environments a digest must have been through to reach a stage.

    Where any one upstream is enough, only what all of the ways have in common is required.
    """
    if name in required:
        return required[name]
    required[name] = frozenset()  # A circle is refused by the pipeline's own check.
    ways = [
        _require(other, stages, required) | {_place(stages, other)}
        for other in stages[name].get("after", ())
        if other in stages
    ]
    if ways:
        together = frozenset.intersection if _is_any(stages[name]) else frozenset.union
        required[name] = together(*map(frozenset, ways))
    return required[name]


def _is_any(stage: Mapping[str, Any]) -> bool:
    return bool(stage.get("availability") == "any")


def _count_approvals(rules: Iterable[Mapping[str, Any]]) -> int:
    """How many people every promotion needs; rules with a condition may ask for none."""
    return sum(int(rule.get("count", 1)) for rule in rules if not rule.get("when"))
