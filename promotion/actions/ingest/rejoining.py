"""Deployments that named no known digest are joined later, when the missing build or artifact arrives."""

from collections.abc import Iterable

from django.db.models import Q

from promotion.models import Deployment, Service

from .joining import join_digest, repository_said
from .matching import match_promotion, strategy_of


def rejoin_deployments(service: Service, *, also: Iterable[str] = ()) -> int:
    """Climbs the ladder again for the service's unjoined deployments, and those of the digests named;
    returns how many found their release.
    """
    joined_count = 0
    for deployment in Deployment.objects.filter(
        Q(release=None) | Q(artifact=None) | Q(digest__in=list(also)), service=service
    ):
        stated = deployment.digest if deployment.found == Deployment.Found.STATED else ""
        joined = join_digest(
            service,
            digest=stated,
            version=deployment.version,
            commit=deployment.commit,
            repository=repository_said(deployment) if deployment.commit else "",
        )
        same = joined.digest == deployment.digest and joined.release == deployment.release
        if same and joined.artifact == deployment.artifact and joined.how == deployment.found_how:
            continue
        deployment.digest, deployment.artifact, deployment.release = (
            joined.digest,
            joined.artifact,
            joined.release,
        )
        deployment.found, deployment.found_how = joined.found, joined.how
        deployment.candidates = list(joined.candidates)
        deployment.promotion = match_promotion(deployment)
        deployment.strategy = deployment.strategy or strategy_of(deployment.promotion)
        deployment.save(
            update_fields=[
                "digest",
                "artifact",
                "release",
                "found",
                "found_how",
                "candidates",
                "promotion",
                "strategy",
            ]
        )
        joined_count += deployment.release is not None
    return joined_count
