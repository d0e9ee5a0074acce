"""For how long what was read of a service stays true by itself."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Min, Q, QuerySet

from promotion.models import (
    Approval,
    Build,
    BuildArtifact,
    Deployment,
    DeploymentReport,
    Evidence,
    Incident,
    IncidentVerdict,
    Observation,
    PipelineVersion,
    Promotion,
    RollbackVerdict,
)

from .loading import find_corrections


@dataclass(frozen=True, slots=True)
class Clocks:
    """The last time on record by `at`, and the first one after it; None where there is none."""

    latest_at: datetime | None
    next_at: datetime | None


def read_clocks(at: datetime, services: Collection[int]) -> Clocks:
    """The times that decide what of the services' record counts as of a time.

    Between the two every as-of gives the same facts. A query for each kind of row.
    """
    latest: list[datetime] = []
    following: list[datetime] = []
    for rows, columns in _list_clocks(services):
        asked: dict[str, Any] = {}
        for column in columns:
            asked[f"{column}_before"] = Max(column, filter=Q(**{f"{column}__lte": at}))
            asked[f"{column}_after"] = Min(column, filter=Q(**{f"{column}__gt": at}))
        for name, found in rows.aggregate(**asked).items():
            if found is not None:
                (latest if name.endswith("_before") else following).append(found)
    return Clocks(max(latest, default=None), min(following, default=None))


def _list_clocks(services: Collection[int]) -> list[tuple[QuerySet[Any], tuple[str, ...]]]:
    return [
        (Deployment.objects.filter(service__in=services), ("received_at",)),
        (DeploymentReport.objects.filter(deployment__service__in=services), ("received_at",)),
        (Observation.objects.filter(service__in=services), ("received_at",)),
        (Incident.objects.filter(service__in=services), ("received_at", "resolved_at")),
        (Build.objects.filter(service__in=services), ("received_at",)),
        (
            BuildArtifact.objects.filter(artifact__service__in=services),
            ("build__received_at",),
        ),
        (Evidence.objects.filter(artifact__service__in=services), ("received_at",)),
        (
            Promotion.objects.filter(service__in=services),
            ("asked_at", "started_at", "ended_at"),
        ),
        (Approval.objects.filter(promotion__service__in=services), ("at",)),
        (PipelineVersion.objects.filter(pipeline__service__in=services), ("applied_at",)),
        (find_corrections(services), ("at",)),
        (IncidentVerdict.objects.filter(incident__service__in=services), ("at",)),
        (RollbackVerdict.objects.filter(deployment__service__in=services), ("at",)),
    ]
