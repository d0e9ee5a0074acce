"""The platforms of an image: each digest belongs to the index that names it."""

from collections.abc import Iterable

from promotion.integrity.digests import is_digest
from promotion.models import Artifact, Deployment, Observation, Service

from .rejoining import rejoin_deployments

# An index names a handful of platforms and their attestations; more is a mistake or an attack.
MOST_PLATFORMS = 200


def register_platforms(index: Artifact, digests: Iterable[object]) -> int:
    """Records what belongs to the index, and what was deployed or seen by a platform's digest goes by
    the index; returns how many are new. A platform that two indexes share stays with the first.
    """
    wanted = [
        one
        for one in dict.fromkeys(one for one in digests if is_digest(one))
        if one != index.digest
    ]
    if index.index_id or not wanted:
        return 0
    known = Artifact.objects.in_bulk(wanted[:MOST_PLATFORMS], field_name="digest")
    new = []
    for digest in wanted[:MOST_PLATFORMS]:
        platform = known.get(digest)
        if platform is None:
            platform = Artifact.objects.create(
                digest=digest,
                name=index.name,
                service=index.service,
                index=index,
                first_seen_at=index.first_seen_at,
                event=index.event,
            )
        elif platform.index_id or platform.platforms.exists():
            continue
        else:
            platform.index = index
            platform.save(update_fields=["index"])
        new.append(platform)
    if new:
        _repoint(index, new)
    return len(new)


def _repoint(index: Artifact, platforms: list[Artifact]) -> None:
    """What named a platform before it was known to be one."""
    digests = [one.digest for one in platforms]
    services = Deployment.objects.filter(digest__in=digests).values_list("service", flat=True)
    for service in Service.objects.filter(pk__in=services.distinct()):
        rejoin_deployments(service, also=digests)
    for seen in Observation.objects.filter(digest__in=digests):
        same = Observation.objects.filter(
            service=seen.service_id,
            environment=seen.environment_id,
            target=seen.target,
            digest=index.digest,
            seen_at=seen.seen_at,
        )
        if same.exists():
            seen.delete()  # two platforms of one image, seen at once: one sighting
            continue
        seen.digest, seen.artifact = index.digest, index
        seen.save(update_fields=["digest", "artifact"])
