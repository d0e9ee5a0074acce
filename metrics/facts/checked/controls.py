"""What the stage of a promotion asked for, and what it got before it started."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from metrics.measures.base import ApprovalFact
from metrics.measures.compliance import Controls, GateFact
from promotion.gates.asked import approval_rules, gates_asked_for
from promotion.models import BreakGlass, GateResult, PipelineVersion
from promotion.rules.pipeline import StageForm

APPROVAL = "approval"
COMPARES = frozenset(("checksum", "signature"))
Verified = list[tuple[str, datetime]]


@dataclass(slots=True)
class KeptGates:
    """By promotion: the gate results, and which of them compared the bytes and when."""

    results: dict[int, list[GateFact]] = field(default_factory=lambda: defaultdict(list))
    compared: dict[int, Verified] = field(default_factory=lambda: defaultdict(list))


def load_gates(services: Iterable[int], since: datetime, at: datetime) -> KeptGates:
    """The gate results measured by `at` of promotions started since then; one query."""
    kept = KeptGates()
    rows = GateResult.objects.filter(
        promotion__service__in=services, promotion__started_at__gte=since, measured_at__lte=at
    ).values_list(
        "promotion_id",
        "gate",
        "is_required",
        "verdict",
        "measured_at",
        "exception_id",
        "exception__granted_by",
        "promotion__requested_by",
        "break_glass_id",
    )
    for key, gate, is_required, verdict, measured_at, exception, by, asked_by, glass in rows:
        # One who lets the own promotion past excuses nothing.
        is_own = exception is not None and by == asked_by
        is_open = verdict == GateResult.Verdict.OPEN and not is_own
        kept.results[key].append(
            GateFact(gate, is_required, is_open, measured_at, excepted=exception is not None)
        )
        if gate in COMPARES and is_open and exception is None and glass is None:
            kept.compared[key].append((gate, measured_at))
    return kept


def load_glasses(services: Iterable[int], at: datetime) -> dict[int, bool]:
    """The promotions that started past their gates, and whether that was reviewed by `at`."""
    rows = BreakGlass.objects.filter(promotion__service__in=services, used_at__lte=at).values_list(
        "promotion_id", "reviewed_at"
    )
    return {key: reviewed_at is not None and reviewed_at <= at for key, reviewed_at in rows}


def load_stages(services: Iterable[int]) -> dict[tuple[int, str], StageForm]:
    """The stage of each environment in each pipeline version of the services; one query."""
    versions = PipelineVersion.objects.filter(pipeline__service__in=services).only("pk", "text")
    return {
        (version.pk, stage.environment): stage
        for version in versions
        for stage in version.form.stages
    }


@dataclass(frozen=True, slots=True)
class Started:
    """What is known of one promotion's start."""

    key: int
    kind: str
    started_at: datetime
    approvals: tuple[ApprovalFact, ...]


def read_controls(
    started: Started, stage: StageForm | None, gates: KeptGates, glasses: Mapping[int, bool]
) -> Controls:
    """The controls of a promotion; of a stage that is not in its pipeline nothing was asked."""
    asked = gates_asked_for(stage, started.kind) if stage is not None else ()
    rules = approval_rules(stage, started.kind) if stage is not None else ()
    return Controls(
        required=tuple(each.kind for each in asked if each.is_required),
        gates=tuple(gates.results.get(started.key, ())),
        approvals_needed=sum(rule.count for rule in rules if not rule.when),
        approvals=started.approvals,
        started_at=started.started_at,
        glass_broken=started.key in glasses,
        glass_reviewed=glasses.get(started.key, False),
    )


def asks_for_risk(stage: StageForm | None) -> bool:
    """Whether a gate or an approval rule of the stage has a condition on risk."""
    if stage is None:
        return False
    said = [str(dict(gate.settings)) for gate in stage.gates]
    said += [rule.when or "" for rule in stage.approvals]
    return any("risk." in each for each in said)
