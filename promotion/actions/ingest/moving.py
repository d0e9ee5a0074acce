"""Builds and artifacts that an event once gave to another service than the mended mapping does."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Exists, OuterRef, Q

from promotion.models import Artifact, Build, Deployment, Event, Promotion, Release
from promotion.sources.base import Fact

from .recorded import Taking
from .rejoining import rejoin_deployments

SAME = ("kind", "digest", "repository", "external_id", "run_id", "name", "commit")


def move_misplaced(event: Event, takings: Iterable[Taking]) -> tuple[list[int], list[str]]:
    """Moves what this event had placed; returns the services left, and what stays with its reason.

    Only what still is where this very event had put it: another event or a person may know better.
    An artifact stays where people acted on a release of it, for their acts speak of that service.
    """
    before = {_identity(line["fact"]): line.get("place") for line in _told(event)}
    left: set[int] = set()
    notes: list[str] = []
    for taking in takings:
        old = (before.get(_identity(taking.fact.as_json())) or {}).get("service")
        service = taking.service
        if not old or service is None or service.pk == old:
            continue
        if _move_build(taking.fact, event, old, service.pk):
            left.add(old)
        artifact = Artifact.objects.filter(digest=taking.fact.digest or "", service=old).first()
        if artifact is None or taking.fact.kind not in {"build", "artifact"}:
            continue
        if kept := _acted_on(artifact):
            notes.append(
                f"{artifact.digest[:19]} stays with {kept.service.slug}: people acted on its"
                f" release {kept.version}."
            )
            continue
        _move_artifact(artifact, service.pk)
        left.add(old)
    return sorted(left), notes


def _told(event: Event) -> Iterator[dict[str, Any]]:
    """What the event became the time before, line by line."""
    for line in event.outcome if isinstance(event.outcome, list) else []:
        if isinstance(line, dict) and isinstance(line.get("fact"), dict):
            yield line


def _identity(fact: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(fact.get(name) or "") for name in SAME)


def _move_build(fact: Fact, event: Event, old: int, new: int) -> bool:
    if fact.kind != "build":
        return False
    run = fact.external_id or fact.run_id or ""
    rows = Build.objects.filter(
        source=event.source, repository=fact.repository or "", external_id=run, service=old
    )
    return bool(rows.update(service=new))


def _acted_on(artifact: Artifact) -> Release | None:
    """A release of it that was promoted, verified, vetoed, pinned or let past a gate."""
    this = OuterRef("pk")
    asked = Promotion.objects.filter(Q(release=this) | Q(replaces=this) | Q(candidate=this))
    return (
        artifact.releases.select_related("service")
        .filter(
            Q(vetoed_at__isnull=False)
            | Q(verifications__isnull=False)
            | Q(reverifications__isnull=False)
            | Q(pins__isnull=False)
            | Q(exceptions__isnull=False)
            | Exists(asked)
        )
        .first()
    )


def _move_artifact(artifact: Artifact, service: int) -> None:
    """Its releases of the old service go with it; recording it makes those of the new one."""
    releases = Release.objects.filter(artifacts=artifact)
    old = artifact.service
    Deployment.objects.filter(release__in=releases).update(release=None)
    releases.delete()
    Artifact.objects.filter(Q(pk=artifact.pk) | Q(index=artifact)).update(service=service)
    if old:
        rejoin_deployments(old)
