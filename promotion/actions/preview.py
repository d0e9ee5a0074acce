"""What would come of a request, told before it is made: nothing is written, nothing outside is asked."""

from dataclasses import dataclass
from datetime import datetime

from promotion.gates.runs import running_release
from promotion.models import GateResult, Promotion
from promotion.rules.deciding import Decision, decide
from promotion.rules.queueing import NewRequest, Queue, QueuedPromotion, judge_request
from promotion.rules.states import State

from .content import Plan, current_version, plan
from .evaluate import answers_of, evaluate_gates
from .exceptions import let_past
from .promote import Request

# No row has this key, so what is read of the request's own approvals and results is empty.
NOT_MADE_YET = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """The plan, what each gate says now, the move that follows, and what the request does to its lane.

    `returned` is the open promotion that the request would find instead of making a new one.
    """

    promotion: Promotion
    plan: Plan
    results: list[GateResult]
    decision: Decision
    returned: Promotion | None
    superseded: tuple[Promotion, ...]


def preview_request(request: Request, *, at: datetime) -> Preview:
    """Judges the request as if it were made now; InputError where the pipeline has no such stage.

    Gates that ask others at a cost are told to wait: they are asked once the promotion is there.
    """
    release, environment = request.release, request.environment
    version = current_version(release.service)
    planned = plan(release, environment, request.kind, version)
    promotion = Promotion(
        pk=NOT_MADE_YET,
        release=release,
        service=release.service,
        environment=environment,
        stage=planned.stage.name,
        kind=request.kind,
        state=State.WAITING.value,
        origin=request.origin,
        requested_by=request.person,
        fields=dict(request.fields or {}),
        pipeline_version=version,
        content=planned.content,
        content_hash=planned.content_hash,
        replaces=running_release(release.service, environment, at),
        asked_at=at,
        expires_at=at + planned.stage.expires,
        not_before=request.not_before,
    )
    results = let_past(
        promotion, evaluate_gates(promotion, planned, at=at, asks_costly_gates=False), at=at
    )
    decision = decide(
        answers_of(results),
        holds=planned.stage.mode == "enforce",
        expires_at=promotion.expires_at,
        not_before=request.not_before,
        turn=None,
        now=at,
    )
    returned, superseded = _lane(request, planned)
    return Preview(promotion, planned, results, decision, returned, superseded)


def _lane(request: Request, planned: Plan) -> tuple[Promotion | None, tuple[Promotion, ...]]:
    rows = Promotion.objects.of(request.release.service, request.environment).open().for_display()
    lane = {row.pk: row for row in rows}
    queued = [
        QueuedPromotion(row.pk, str(row.release_id), row.asked_at, State(row.state))
        for row in lane.values()
    ]
    new = NewRequest(
        str(request.release.pk), automatic=request.origin == Promotion.Origin.AUTOMATIC
    )
    verdict = judge_request(Queue(planned.stage.queue), new, queued)
    returned = lane[verdict.returned] if verdict.returned is not None else None
    return returned, tuple(lane[number] for number in verdict.superseded)
