"""Automatic promotion of one service: what has become available goes on without being asked for."""

import logging
from datetime import datetime, timedelta

from promotion.exceptions import InputError, ThroughlineError
from promotion.gates.candidates import judge_stage
from promotion.models import Deployment, Environment, Promotion, Service

from .content import current_version
from .promote import Request, ask_for_promotion

logger = logging.getLogger(__name__)

# When a stage is judged again whose request was refused, as by a pipeline that does not fit its environment.
JUDGE_AGAIN_IN = timedelta(hours=1)


def promote_automatically(service: int, *, at: datetime) -> list[int]:
    """Asks for what the automatic stages of the service want now; returns the new promotions' numbers.

    Notes on the service when it is next worth judging. Each request is a transaction of its own.
    """
    found = Service.objects.select_related("team").get(pk=service)
    try:
        version = current_version(found)
    except InputError:
        _look_next(found, None)
        return []
    made, times = [], _times_to_come(found, at)
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
            try:
                asked = ask_for_promotion(request, at=at)
            except ThroughlineError as error:
                # The other stages go on.
                logger.warning(
                    "%s is not promoted to %s by itself: %s",
                    judgement.chosen,
                    stage.environment,
                    error.sentence,
                )
                times.append(at + JUDGE_AGAIN_IN)
                continue
            made += [asked.promotion.pk] if asked.is_new else []
    _look_next(found, min(times, default=None))
    return made


def _look_next(service: Service, look_at: datetime | None) -> None:
    """Once it was judged, so that a worker that dies before leaves it due; not where it was woken meanwhile."""
    Service.objects.filter(pk=service.pk, next_look_at=service.next_look_at).update(
        next_look_at=look_at
    )


def _times_to_come(service: Service, at: datetime) -> list[datetime]:
    """When the next deployment will have finished that a sender whose clock is ahead of ours told of."""
    ahead = Deployment.objects.filter(service=service, finished_at__gt=at).order_by("finished_at")
    return [time for time in ahead.values_list("finished_at", flat=True)[:1] if time]
