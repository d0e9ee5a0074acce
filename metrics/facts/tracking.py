"""Since when facts are told as they happen, and not only taken in afterwards."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Min, Q

from promotion.models import Build, DeploymentReport, Observation

# Definition v1, "Two clocks": what is told later than this was backfilled, whoever told it.
IN_TIME = timedelta(hours=24)


def tracked_since(services: Collection[int] | None = None) -> datetime | None:
    """The earliest event time of a fact that was told in time, of the services (None: of all).

    None where everything known was backfilled, or nothing is known. Before it the figures rest on
    what was taken in afterwards, which may be less than there was.
    """
    lists: tuple[tuple[Any, str, str], ...] = (
        (DeploymentReport, "occurred_at", "deployment__service__in"),
        (Observation, "seen_at", "service__in"),
        (Build, "finished_at", "service__in"),
    )
    found = []
    for model, column, place in lists:
        told = Q(**{f"{column}__gte": F("received_at") - IN_TIME})
        rows = model.objects.filter(told).exclude(event__is_backfilled=True)
        if services is not None:
            rows = rows.filter(**{place: services})
        found.append(rows.aggregate(at=Min(column))["at"])
    return min((at for at in found if at is not None), default=None)
