"""Asking registries what a tag is, and which platforms an index has; the network before any transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from promotion.exceptions import ThroughlineError
from promotion.integrity.connecting import OCI_KINDS, Repositories
from promotion.integrity.oci.errors import ImageNotFoundError
from promotion.integrity.oci.manifests import parse_manifest
from promotion.models import Artifact, ArtifactTag, Connection, UnresolvedReference
from promotion.sources.base import Fact

from .finish import wake_service
from .ingest import Taking
from .ingest.artifacts import record_artifact
from .ingest.platforms import register_platforms

# Doubled with every attempt: about two days until nothing more is to be hoped for.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=12)
MOST_ATTEMPTS = 14


@dataclass(frozen=True, slots=True)
class Answer:
    """What the registries said: a digest with its platforms, or in a sentence why not."""

    digest: str = ""
    media_type: str = ""
    platforms: tuple[str, ...] = ()
    note: str = ""


def due_references(*, at: datetime, limit: int = 100) -> list[int]:
    """Those to be asked for by now, the longest due first; none while we know no registry."""
    if not Connection.objects.filter(kind__in=OCI_KINDS).exists():
        return []
    due = UnresolvedReference.objects.filter(next_ask_at__lte=at).order_by("next_ask_at", "pk")
    return list(due.values_list("pk", flat=True)[:limit])


def resolve_reference(number: int, *, at: datetime) -> list[int]:
    """Asks once, and records the answer as if a sender had said it; returns the services touched.

    Harmless to repeat: whoever comes second finds it claimed, answered, or not yet due.
    """
    row = _claim(number, at)
    if row is None:
        return []
    answer = _ask(row)
    with transaction.atomic():
        held = UnresolvedReference.objects.select_for_update().get(pk=number)
        if held.resolved_at or held.seen_at != row.seen_at:
            return []
        if not answer.digest:
            held.note = answer.note[:300]
            held.save(update_fields=["note"])
            return []
        return _record(held, answer, at)


def _claim(number: int, at: datetime) -> UnresolvedReference | None:
    """Sets the next attempt before the first byte is sent, so that a crash costs one pause."""
    row = UnresolvedReference.objects.select_related("service", "event").filter(pk=number).first()
    if row is None or row.resolved_at or row.next_ask_at is None or row.next_ask_at > at:
        return None
    is_last = row.attempts + 1 >= MOST_ATTEMPTS
    pause = min(FIRST_PAUSE * 2**row.attempts, LONGEST_PAUSE)
    claimed = UnresolvedReference.objects.filter(
        pk=number, next_ask_at=row.next_ask_at, resolved_at=None
    ).update(attempts=row.attempts + 1, next_ask_at=None if is_last else at + pause)
    return row if claimed else None


def _ask(row: UnresolvedReference) -> Answer:
    """Every registry we know; what two of them say differently is no answer."""
    found: dict[str, Answer] = {}
    refusals: list[str] = []
    with Repositories() as repositories:
        for name in Connection.objects.filter(kind__in=OCI_KINDS).values_list("name", flat=True):
            try:
                repository = repositories.open(f"{name}/{row.repository}")
                manifest = parse_manifest(*repository.read_manifest(row.reference)[:2])
            except ImageNotFoundError:
                continue
            except ThroughlineError as error:
                refusals.append(error.sentence)
                continue
            found[manifest.digest] = Answer(
                manifest.digest,
                manifest.media_type,
                tuple(child.digest for child in manifest.children),
            )
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        return Answer(note=f"The registries disagree about {row}: {', '.join(sorted(found))}.")
    return Answer(note=refusals[0] if refusals else f"No registry we know has {row}.")


def _record(row: UnresolvedReference, answer: Answer, at: datetime) -> list[int]:
    if row.is_digest:
        artifact = Artifact.objects.get(digest=row.reference)
        if not artifact.media_type:
            artifact.media_type = answer.media_type[:200]
            artifact.save(update_fields=["media_type"])
        register_platforms(artifact, answer.platforms)
        return _close(row, artifact, at)
    later = ArtifactTag.objects.filter(
        repository=row.repository, tag=row.reference, seen_at__gt=row.seen_at
    ).exclude(artifact__digest=answer.digest)
    if later.exists() or row.event is None:
        row.note = "The tag was moved since; what it was then, no registry can tell any more."
        row.next_ask_at = None
        row.save(update_fields=["note", "next_ask_at"])
        return []
    fact = Fact(
        kind="artifact",
        service=row.service.slug if row.service else None,
        name=row.repository,
        version=row.reference,
        digest=answer.digest,
        commit=row.commit or None,
        occurred_at=row.seen_at,
        details={"media_type": answer.media_type, "platforms": list(answer.platforms)},
    )
    record_artifact(Taking(row.event, fact, is_from_registry=True))
    return _close(row, Artifact.objects.get(digest=answer.digest), at)


def _close(row: UnresolvedReference, artifact: Artifact, at: datetime) -> list[int]:
    row.artifact, row.resolved_at, row.next_ask_at = artifact, at, None
    row.note = "The registry was asked."
    row.save(update_fields=["artifact", "resolved_at", "next_ask_at", "note"])
    if artifact.service_id is None:
        return []
    wake_service(artifact.service_id, at)
    return [artifact.service_id]
