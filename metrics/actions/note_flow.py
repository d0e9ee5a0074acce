"""Write the facts of flow of promotions that ended. They are no record: not audited."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from metrics.facts.flow import AT_ONCE, Ended, find_ended, load_ended
from metrics.facts.naming import promotion_key
from metrics.measures.flow import count_hand_offs, find_held, split_course
from metrics.models import ControlFact, FlowFact, WaitFact


def note_flow(service_key: int, at: datetime) -> int:
    """Writes those of a service that ended by `at` and are not written; returns how many.

    Must run inside the transaction that refreshes the service, which one caller at a time holds.
    """
    missing = find_ended(service_key, at)
    for begin in range(0, len(missing), AT_ONCE):
        _write(load_ended(service_key, missing[begin : begin + AT_ONCE]))
    return len(missing)


def _write(ended: list[Ended]) -> None:
    flows = FlowFact.objects.bulk_create([_make_flow(each) for each in ended])
    WaitFact.objects.bulk_create(
        WaitFact(
            flow=flow,
            gate=held.gate,
            rule=held.rule,
            held=held.held,
            alone=held.alone,
            was_closed=held.was_closed,
            was_passed=held.was_passed,
            caught=held.caught,
        )
        for flow, each in zip(flows, ended, strict=True)
        for held in find_held(each.course)
    )
    ControlFact.objects.bulk_create(
        ControlFact(flow=flow, control=control, outcome=outcome)
        for flow, each in zip(flows, ended, strict=True)
        for control, outcome in each.controls
    )


def _make_flow(ended: Ended) -> FlowFact:
    promotion, course = ended.promotion, ended.course
    return FlowFact(
        promotion=promotion,
        unit=promotion_key(promotion.pk),
        service_id=promotion.service_id,
        environment=promotion.environment.slug,
        kind=promotion.kind,
        strategy=ended.strategy,
        state=course.state,
        asked_at=course.asked_at,
        started_at=course.started_at,
        at=course.ended_at,
        day=course.ended_at.astimezone(ZoneInfo(settings.TIME_ZONE)).date(),
        lead=(course.ended_at - course.asked_at).total_seconds(),
        manual_steps=ended.manual_steps,
        hand_offs=count_hand_offs(ended.acts),
        **split_course(course),
    )
