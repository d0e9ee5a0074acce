"""What ran where, from the deployments on record, as the pure rules want it."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef

from promotion.models import (
    Build,
    Correction,
    Deployment,
    Environment,
    GateException,
    Release,
    RunResult,
    Service,
    Verification,
)
from promotion.rules.availability import Availability, OrderFacts, Run, Upstream
from promotion.rules.availability import Verification as VerificationFact
from promotion.rules.durations import parse_duration
from promotion.rules.pipeline import PipelineForm, StageForm

FAILED = (RunResult.FAILED, RunResult.CANCELLED, RunResult.ROLLED_BACK)

# The cost of a judgement must not grow with the age of a service. A release that was deployed
# longer ago than this many deployments of its lane counts as not deployed there.
RUNS_READ = 1000
# A fact that a person declared wrong proves nothing from then on.
_IS_VOIDED = Exists(Correction.objects.of_outer(Correction.Subject.DEPLOYMENT))


def runs_in(service: Service, environment: str, at: datetime) -> tuple[Run, ...]:
    """The newest runs of the service's releases there, by successful deployments finished by then, oldest first."""
    return _newest_runs(service, environment, at, RUNS_READ)


def _newest_runs(service: Service, environment: str, at: datetime, limit: int) -> tuple[Run, ...]:
    rows = (
        Deployment.objects.filter(
            service=service,
            environment__slug=environment,
            finished_at__lte=at,
            result__in=[RunResult.SUCCEEDED, RunResult.REMOVED],
        )
        .exclude(release=None, result=RunResult.SUCCEEDED)
        .exclude(_IS_VOIDED)
        .order_by("-finished_at", "-pk")
        .values_list("release", "release__version", "finished_at", "result")[:limit]
    )
    # A removal is a run of nothing: it ends what ran before.
    return tuple(
        Run("" if result == RunResult.REMOVED else release_name(release, version), finished)
        for release, version, finished, result in reversed(rows)
        if finished
    )


def release_name(key: int, version: str) -> str:
    """What the rules call a release: its version, made unique, since one version may have several digests."""
    return f"{version}\u200b#{key}"


def release_key(name: str) -> int:
    """Back from what the rules call it."""
    return int(name.rpartition("#")[2])


def plain(sentences: Sequence[str]) -> str:
    """The rules' sentences for people: the version alone."""
    return re.sub(r"\u200b#\d+", "", " ".join(sentences))


def failures_in(
    service: Service, environment: str, release: Release, at: datetime
) -> tuple[datetime, ...]:
    """When deployments of the release there failed."""
    rows = (
        Deployment.objects.filter(
            service=service,
            environment__slug=environment,
            release=release,
            result__in=FAILED,
            finished_at__lte=at,
        )
        .exclude(_IS_VOIDED)
        .values_list("finished_at", flat=True)
    )
    return tuple(finished for finished in rows if finished)


def running_release(service: Service, environment: Environment, at: datetime) -> Release | None:
    """The release of the last successful deployment there, unless it was removed."""
    runs = _newest_runs(service, environment.slug, at, 1)
    if not runs or not runs[-1].release:
        return None
    return (
        Release.objects.filter(pk=release_key(runs[-1].release)).select_related("service").first()
    )


def soak_of(settings: Mapping[str, Any]) -> timedelta:
    """The gate's `for`."""
    return parse_duration(str(settings.get("for", "0s")))


def order_facts(
    release: Release,
    form: PipelineForm,
    stage: StageForm,
    at: datetime,
    runs: dict[str, tuple[Run, ...]] | None = None,
) -> OrderFacts:
    """All that decides whether the release is available for the stage; `runs` may be given to save reading them."""
    upstream = []
    for source in form.upstream_of(stage):
        place = source.environment
        upstream.append(
            Upstream(
                name=place,
                soak=stage.soak,
                verifies=source.verifies,
                runs=runs[place]
                if runs is not None and place in runs
                else runs_in(release.service, place, at),
                failed_at=failures_in(release.service, place, release, at),
                verifications=_verifications(release, place, at),
            )
        )
    return OrderFacts(
        release=release_name(release.pk, release.version),
        upstream=tuple(upstream),
        availability=Availability(stage.availability),
        belongs=release.service.slug == form.service,
        built=_is_built(release),
        require_build=stage.require_build,
        waived=_is_waived(release, stage.environment, at),
    )


def _verifications(
    release: Release, environment: str, at: datetime
) -> tuple[VerificationFact, ...]:
    rows = Verification.objects.filter(
        release=release, environment__slug=environment, at__lte=at
    ).order_by("at", "pk")
    return tuple(VerificationFact(row.at, row.has_passed) for row in rows)


def _is_built(release: Release) -> bool:
    """Every artifact comes from a build we know."""
    standing = Build.objects.filter(artifacts=OuterRef("pk")).exclude(
        Exists(Correction.objects.of_outer(Correction.Subject.BUILD))
    )
    artifacts = release.artifacts
    return artifacts.exists() and not artifacts.exclude(Exists(standing)).exists()


def _is_waived(release: Release, environment: str, at: datetime) -> bool:
    return GateException.objects.filter(
        release=release,
        environment__slug=environment,
        gate__in=["order", "soak"],
        revoked_at=None,
        granted_at__lte=at,
        ends_at__gt=at,
    ).exists()
