"""Automatic promotion of one service: what has become available goes on without being asked for."""

from datetime import datetime

from promotion.exceptions import InputError
from promotion.gates.candidates import judge_stage
from promotion.models import Environment, Promotion, Service

from .content import current_version
from .promote import Request, ask_for_promotion


def promote_automatically(service: int, *, at: datetime) -> list[int]:
    """Asks for what the automatic stages of the service want now; returns the new promotions' numbers.

    Notes on the service when it is next worth judging. Each request is a transaction of its own.
    """
    found = Service.objects.select_related("team").get(pk=service)
    Service.objects.filter(pk=service).update(next_look_at=None)
    try:
        version = current_version(found)
    except InputError:
        return []
    made, times = [], []
    environments = {one.slug: one for one in Environment.objects.all()}
    for stage in version.form.stages:
        if not stage.auto or stage.environment not in environments:
            continue
        judgement = judge_stage(found, version.form, stage, at)
        if judgement.next_at:
            times.append(judgement.next_at)
        if judgement.chosen:
            request = Request(
                release=judgement.chosen,
                environment=environments[stage.environment],
                origin=Promotion.Origin.AUTOMATIC,
            )
            asked = ask_for_promotion(request, at=at)
            made += [asked.promotion.pk] if asked.is_new else []
    if times:
        # Only where nothing else asked for an earlier look meanwhile.
        Service.objects.filter(pk=service, next_look_at=None).update(next_look_at=min(times))
    return made
