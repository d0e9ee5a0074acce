"""One record for the measures, in a number of queries that does not grow with it."""

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from metrics.measures.base import CorrectionFact, Record
from promotion.models import Build, Correction, Deployment, Incident, Observation

from .artifacts import (
    load_builds,
    load_evidence,
    load_homeless_builds,
    load_platforms,
    load_releases,
)
from .deployments import load_deployments
from .incidents import load_homeless_incidents, load_incidents
from .naming import build_key, deployment_key, incident_key, observation_key
from .observations import load_observations
from .places import load_environments, load_services, load_teams
from .promotions import load_promotions

KEYS = {
    Correction.Subject.DEPLOYMENT: deployment_key,
    Correction.Subject.OBSERVATION: observation_key,
    Correction.Subject.INCIDENT: incident_key,
    Correction.Subject.BUILD: build_key,
}

CORRECTED: dict[Correction.Subject, type[Model]] = {
    Correction.Subject.DEPLOYMENT: Deployment,
    Correction.Subject.OBSERVATION: Observation,
    Correction.Subject.INCIDENT: Incident,
    Correction.Subject.BUILD: Build,
}


def load_record(
    as_of: datetime, *, services: Collection[int] | None = None, zone: str = ""
) -> Record:
    """All that was known of the services (keys; None: all) at `as_of`, an aware time.

    The history before a period is part of it: what ran before decides what a rollback, a
    restart, or a first production deployment is. `zone` is that of the days of a series,
    without it that of the organisation.
    """
    releases = load_releases(services)
    deployments = load_deployments(as_of, services)
    return Record(
        environments=load_environments(),
        services=load_services(services),
        teams=load_teams(),
        releases=releases,
        builds=load_builds(as_of, services),
        evidence=load_evidence(as_of, services),
        promotions=load_promotions(as_of, releases, services),
        deployments=deployments,
        observations=load_observations(as_of, zone or settings.TIME_ZONE, deployments, services),
        incidents=load_incidents(as_of, services),
        corrections=_load_corrections(as_of, services),
        platforms=load_platforms(services),
    )


def load_homeless(as_of: datetime) -> Record:
    """What was known at `as_of` of no service at all: it is counted beside, and in no figure."""
    homeless = Q()
    for subject in (Correction.Subject.INCIDENT, Correction.Subject.BUILD):
        found = CORRECTED[subject]._default_manager.filter(pk=OuterRef("subject_id"), service=None)
        homeless |= Q(Exists(found), subject=subject)
    return Record(
        environments=load_environments(),
        builds=load_homeless_builds(as_of),
        incidents=load_homeless_incidents(as_of),
        corrections=_read_corrections(Correction.objects.filter(homeless, at__lte=as_of)),
    )


def find_corrections(services: Collection[int] | None = None) -> QuerySet[Correction]:
    """The corrections of facts of the services (None: all)."""
    if services is None:
        return Correction.objects.all()
    wanted = Q()
    for subject, model in CORRECTED.items():
        keys = Q(service__in=services)
        if model is Build:
            keys |= Q(artifacts__service__in=services)
        # The key is compared as it stands, so that the rows need not be of the same kind.
        found = model._default_manager.filter(keys, pk=OuterRef("subject_id"))
        wanted |= Q(Exists(found), subject=subject)
    return Correction.objects.filter(wanted)


def _load_corrections(
    as_of: datetime, services: Collection[int] | None
) -> tuple[CorrectionFact, ...]:
    return _read_corrections(find_corrections(services).filter(at__lte=as_of))


def _read_corrections(found: QuerySet[Correction]) -> tuple[CorrectionFact, ...]:
    rows = found.values_list("subject", "subject_id", "at", "by__username", "why")
    return tuple(
        CorrectionFact(
            voids=KEYS[Correction.Subject(subject)](key), at=at, by=by, why=why, kind=subject
        )
        for subject, key, at, by, why in rows.order_by("pk").iterator()
    )
