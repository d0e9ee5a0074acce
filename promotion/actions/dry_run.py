"""What a pipeline's text would change if it were applied now: judged by the real rules, nothing written."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import datetime

from promotion.exceptions import InputError, ThroughlineError
from promotion.gates.candidates import judge_stage
from promotion.gates.runs import order_facts, plain, runs_in
from promotion.models import Approval, Pipeline, PipelineVersion, Promotion, Release, Service, User
from promotion.rules.availability import AvailabilityVerdict, judge_availability
from promotion.rules.content import differing_fields
from promotion.rules.deciding import Decision, Move, decide
from promotion.rules.pipeline import PipelineForm, StageForm, pipeline_document
from promotion.rules.pipeline.differences import tell_differences
from promotion.rules.states import State

from .content import Plan, plan_of
from .evaluate import answers_of, evaluate_gates
from .exceptions import let_past
from .lane import list_those_ahead, say_turn, say_veto
from .past_gates import pass_gates

RELEASES_JUDGED = 12
PROMOTIONS_JUDGED = 50


@dataclass(frozen=True, slots=True)
class Affected:
    """A waiting promotion: what decides about it now and would then; each in a sentence.

    `stale` are those whose approval counts now and would not then, `changed` the fields of the
    content that differ. `is_stranded` where no stage would lead there any more.
    """

    promotion: Promotion
    now: str
    then: str
    would_start: bool
    stale: tuple[User, ...]
    changed: tuple[str, ...]
    is_stranded: bool = False


@dataclass(frozen=True, slots=True)
class Shift:
    """A release that becomes available for a stage, or no longer is, and why."""

    release: Release
    stage: str
    is_available: bool
    reason: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """All that would follow; `same` where the text says what is in use, so that nothing would."""

    same: bool
    differences: tuple[str, ...]
    affected: tuple[Affected, ...]
    left_out: int
    unavailable: tuple[Shift, ...]
    available: tuple[Shift, ...]
    automatic: tuple[tuple[str, Release], ...]


def dry_run(service: Service, text: str, form: PipelineForm, *, at: datetime) -> DryRun:
    """Judges everything that waits, and the newest releases, as the text would; `form` is the text read.

    The text must have no problem. Gates that ask others at a cost are not asked.
    """
    pipeline = Pipeline.objects.filter(service=service).first() or Pipeline(service=service)
    current = pipeline.current if pipeline.pk else None
    document = pipeline_document(form)
    drafted = PipelineVersion(
        pipeline=pipeline,
        number=current.number + 1 if current else 1,
        text=text,
        document=document,
        applied_at=at,
    )
    if current is not None and (current.text == text or current.document == document):
        return DryRun(True, (), (), 0, (), (), ())
    waiting = list(_waiting(service))
    old = _form_of(current)
    shifts = list(_shifts(service, old, form, at))
    return DryRun(
        same=False,
        differences=tell_differences(current.document if current else {}, document),
        affected=tuple(_judge(one, drafted, at) for one in waiting[:PROMOTIONS_JUDGED]),
        left_out=max(len(waiting) - PROMOTIONS_JUDGED, 0),
        unavailable=tuple(one for one in shifts if not one.is_available),
        available=tuple(one for one in shifts if one.is_available),
        automatic=tuple(_automatic(service, old, form, at)),
    )


def _form_of(version: PipelineVersion | None) -> PipelineForm | None:
    try:
        return version.form if version else None
    except InputError:
        return None  # applied under older rules


def _waiting(service: Service) -> list[Promotion]:
    rows = Promotion.objects.filter(service=service, state=State.WAITING.value).for_display()
    return list(rows.order_by("asked_at", "pk"))


def _judge(promotion: Promotion, drafted: PipelineVersion, at: datetime) -> Affected:
    counted = _counting(promotion)
    now = promotion.reason or "It was not looked at yet."
    try:
        plan = plan_of(promotion, drafted)
    except InputError:
        place = promotion.environment.name
        then = f"No stage leads to {place}: it stays as it is until it expires or is cancelled."
        return Affected(promotion, now, then, False, counted, (), is_stranded=True)
    changed = differing_fields(promotion.content or {}, plan.content)
    try:
        decision = _decide(promotion, plan, at)
    except ThroughlineError as error:
        return Affected(promotion, now, error.sentence, False, counted, changed)
    stale = counted if plan.content_hash != promotion.content_hash else ()
    starts = decision.move is Move.START
    return Affected(promotion, now, decision.reason, starts, stale, changed)


def _decide(promotion: Promotion, plan: Plan, at: datetime) -> Decision:
    """As `advance` decides, of a copy that follows the drafted version and is never saved."""
    drafted = copy(promotion)
    drafted.content, drafted.content_hash = plan.content, plan.content_hash
    drafted.pipeline_version, drafted.stage = plan.version, plan.stage.name
    results = evaluate_gates(drafted, plan, at=at, asks_costly_gates=False)
    results = pass_gates(drafted, plan.stage, let_past(drafted, results, at=at), at=at)
    return decide(
        answers_of(results),
        holds=plan.stage.mode == "enforce",
        expires_at=promotion.expires_at,
        not_before=promotion.not_before,
        turn=say_veto(promotion.release) or say_turn(list_those_ahead(promotion)),
        now=at,
    )


def _counting(promotion: Promotion) -> tuple[User, ...]:
    """Whose latest decision approves the content as it is."""
    latest: dict[int, Approval] = {}
    for row in promotion.approvals.select_related("person").order_by("at", "pk"):
        latest[row.person_id] = row
    return tuple(
        row.person
        for row in latest.values()
        if row.decision == Approval.Decision.APPROVE and row.content_hash == promotion.content_hash
    )


def _shifts(
    service: Service, old: PipelineForm | None, new: PipelineForm, at: datetime
) -> Iterator[Shift]:
    """Of the newest releases, those whose availability for a stage would change."""
    releases = list(
        service.releases.filter(vetoed_at=None)
        .select_related("service")
        .prefetch_related("artifacts")
        .newest_first()[:RELEASES_JUDGED]
    )
    runs = {stage.environment: runs_in(service, stage.environment, at) for stage in new.stages}
    for stage in new.stages:
        before = old.stage_of(stage.environment) if old else None
        if old is not None and before is not None and _ways_in(old, before) == _ways_in(new, stage):
            continue
        for release in releases:
            then = judge_availability(order_facts(release, new, stage, at, runs), at)
            now = _availability(release, old, before, at)
            if then.available != now:
                yield Shift(release, stage.name, then.available, _why(then))


def _ways_in(form: PipelineForm, stage: StageForm) -> tuple[object, ...]:
    """All of a pipeline that the order of stages depends on: where it is the same, so is the answer."""
    sources = [(one.environment, one.verifies) for one in form.upstream_of(stage)]
    return (stage.availability, stage.soak, stage.require_build, sources)


def _availability(
    release: Release, form: PipelineForm | None, stage: StageForm | None, at: datetime
) -> bool:
    if form is None or stage is None:
        return False
    return judge_availability(order_facts(release, form, stage, at), at).available


def _why(verdict: AvailabilityVerdict) -> str:
    return plain(verdict.reasons)


def _automatic(
    service: Service, old: PipelineForm | None, new: PipelineForm, at: datetime
) -> Iterator[tuple[str, Release]]:
    """What would be promoted without being asked for, and is not now."""
    for stage in new.stages:
        if not stage.auto:
            continue
        chosen = judge_stage(service, new, stage, at).chosen
        before = old.stage_of(stage.environment) if old else None
        now = (
            judge_stage(service, old, before, at).chosen if old and before and before.auto else None
        )
        if chosen is not None and chosen != now:
            yield stage.name, chosen
