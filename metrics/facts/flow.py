"""The promotions of a service that ended and are not in the facts of flow yet, as plain values."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F, Min, Q

from metrics.measures.controls import Asked, Got, judge_each
from metrics.measures.flow import Act, Course, Wait
from metrics.models import FlowFact
from promotion.gates.asked import gates_asked_for
from promotion.models import Approval, GateResult, GateWait, Promotion, StepRun
from promotion.rules.pipeline import StageForm
from promotion.rules.states import FINAL

from .checked.controls import load_stages

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Ended:
    """One promotion that ended; `controls` are pairs of a control and how it stood."""

    promotion: Promotion
    course: Course
    strategy: str
    manual_steps: int
    acts: tuple[Act, ...]
    controls: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Read:
    """By promotion: what is read beside it."""

    waits: dict[int, list[Wait]] = field(default_factory=lambda: defaultdict(list))
    results: dict[int, list[Got]] = field(default_factory=lambda: defaultdict(list))
    acts: dict[int, list[Act]] = field(default_factory=lambda: defaultdict(list))
    manual: dict[int, int] = field(default_factory=lambda: defaultdict(int))


def find_ended(service: int, at: datetime) -> list[int]:
    """The keys of the service's promotions that ended by `at` and have no facts yet; one query.

    One that ended before it started, or started before it was asked for, is in no measure.
    """
    rows = Promotion.objects.filter(
        service=service,
        state__in=[state.value for state in FINAL],
        ended_at__lte=at,
        asked_at__lte=F("ended_at"),
    ).exclude(Q(started_at__gt=F("ended_at")) | Q(started_at__lt=F("asked_at")))
    known = FlowFact.objects.filter(service=service).values("promotion")
    return list(rows.exclude(pk__in=known).order_by("pk").values_list("pk", flat=True))


def load_ended(service: int, keys: Collection[int]) -> list[Ended]:
    """What the facts of flow need of these promotions; a fixed number of queries."""
    read = _read(keys)
    stages = load_stages([service])
    first = GateWait.objects.aggregate(at=Min("since"))["at"]
    promotions = Promotion.objects.filter(pk__in=keys).select_related("environment").order_by("pk")
    return [_make(each, read, stages, first) for each in promotions]


def _make(
    promotion: Promotion,
    read: _Read,
    stages: dict[tuple[int, str], StageForm],
    first: datetime | None,
) -> Ended:
    key = promotion.pk
    stage = stages.get((promotion.pipeline_version_id, promotion.environment.slug))
    ended_at = promotion.ended_at or promotion.asked_at
    waits = tuple(read.waits[key])
    course = Course(
        state=promotion.state,
        asked_at=promotion.asked_at,
        started_at=promotion.started_at,
        ended_at=ended_at,
        waits=waits,
        is_told=bool(waits) or (first is not None and first <= promotion.asked_at),
    )
    started_at = promotion.started_at
    controls: tuple[tuple[str, str], ...] = ()
    if started_at is not None:
        asked = gates_asked_for(stage, promotion.kind) if stage else ()
        controls = judge_each(
            [Asked(each.kind) for each in asked if each.is_required], read.results[key], started_at
        )
    return Ended(
        promotion=promotion,
        course=course,
        strategy=(stage.strategy or "") if stage and started_at else "",
        manual_steps=read.manual[key],
        acts=tuple(read.acts[key]),
        controls=controls,
    )


def _read(keys: Collection[int]) -> _Read:
    read = _Read()
    for row in GateWait.objects.filter(promotion__in=keys).values_list(
        "promotion_id", "gate", "rule", "since", "until", "was_closed", "was_passed"
    ):
        read.waits[row[0]].append(Wait(*row[1:]))
    for key, gate, required, verdict, exception, glass, measured_at in GateResult.objects.filter(
        promotion__in=keys
    ).values_list(
        *("promotion_id", "gate", "is_required", "verdict"),
        *("exception_id", "break_glass_id", "measured_at"),
    ):
        if required:
            is_open = verdict == GateResult.Verdict.OPEN
            read.results[key].append(
                Got(gate, is_open, measured_at, exception is not None, glass is not None)
            )
    _read_acts(keys, read)
    return read


def _read_acts(keys: Collection[int], read: _Read) -> None:
    for key, by, at in Promotion.objects.filter(
        pk__in=keys, origin=Promotion.Origin.PERSON, requested_by__isnull=False
    ).values_list("pk", "requested_by__username", "asked_at"):
        read.acts[key].append(Act(by, at))
    for key, by, stopped_at in Promotion.objects.filter(
        pk__in=keys, stop_requested_by__isnull=False
    ).values_list("pk", "stop_requested_by__username", "stop_requested_at"):
        if stopped_at is not None:
            read.acts[key].append(Act(by, stopped_at))
    for key, by, at in Approval.objects.filter(promotion__in=keys).values_list(
        "promotion_id", "person__username", "at"
    ):
        read.acts[key].append(Act(by, at))
    steps = StepRun.objects.filter(promotion__in=keys)
    for key, gone_on, repeated, ended_at in steps.values_list(
        "promotion_id", "gone_on_by__username", "was_repeated_by__username", "finished_at"
    ):
        for by in (gone_on, repeated):
            if by is not None:
                read.manual[key] += 1
                if ended_at is not None:
                    read.acts[key].append(Act(by, ended_at))
