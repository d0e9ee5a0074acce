"""Tags that came without a digest, and indexes whose platforms nobody told: kept until the registry is asked."""

from collections.abc import Iterable
from datetime import datetime

from promotion.integrity.connecting import OCI_KINDS
from promotion.integrity.oci.errors import InvalidNameError
from promotion.integrity.oci.manifests import INDEX_TYPES
from promotion.integrity.oci.names import check_repository_name, check_tag
from promotion.models import Artifact, Connection, Event, Service, UnresolvedReference

from .recorded import Recorded, Taking, fit, nothing


def keep_tag(taking: Taking) -> Recorded:
    """A tag alone does not say which bytes it is; it is kept, and the registry is asked for them."""
    fact = taking.fact
    what = f"{fact.name or 'The artifact'}{':' + fact.version if fact.version else ''}"
    if not fact.name or not fact.version:
        return nothing(f"{what} came without a digest, and names no tag to ask a registry for.")
    if not _can_be_asked(fact.name, fact.version):
        return nothing(f"{what} came without a digest, and is no name a registry could have.")
    service = taking.service
    kept, is_new = keep_reference(
        fact.name,
        fact.version,
        service=service,
        event=taking.event,
        commit=fact.commit or "",
        seen_at=taking.happened_at,
        due_at=taking.received_at,
    )
    return Recorded(
        "created" if is_new else "unchanged",
        kept,
        service,
        note=f"{what} came without a digest. It is kept unresolved, and a registry is asked for it.",
    )


def keep_reference(
    repository: str,
    reference: str,
    *,
    service: Service | None,
    event: Event | None,
    commit: str,
    seen_at: datetime,
    due_at: datetime,
) -> tuple[UnresolvedReference, bool]:
    """The row of that reference; named again later than it was resolved, it is asked for again."""
    row, is_new = UnresolvedReference.objects.get_or_create(
        repository=repository,
        reference=reference,
        defaults={
            "service": service,
            "event": event,
            "commit": fit(UnresolvedReference, "commit", commit),
            "seen_at": seen_at,
            "next_ask_at": due_at,
        },
    )
    if is_new or row.is_digest or seen_at <= row.seen_at:
        return row, is_new
    row.seen_at, row.event, row.next_ask_at = seen_at, event, due_at
    row.service, row.commit = service or row.service, fit(UnresolvedReference, "commit", commit)
    row.attempts, row.resolved_at, row.artifact, row.note = 0, None, None, ""
    row.save()
    return row, True


def ask_for_version(
    service: Service, version: str, *, event: Event | None, seen_at: datetime, due_at: datetime
) -> None:
    """The last rung of the ladder: a registry we know is asked what the service's images of that tag are."""
    if not version or not Connection.objects.filter(kind__in=OCI_KINDS).exists():
        return
    for path in _paths_of(service):
        if _can_be_asked(path, version):
            keep_reference(
                path,
                version,
                service=service,
                event=event,
                commit="",
                seen_at=seen_at,
                due_at=due_at,
            )


def ask_for_platforms(artifact: Artifact, taking: Taking) -> None:
    """Where it may be an index of several platforms and nobody told them, a registry is asked."""
    may_be_index = not artifact.media_type or artifact.media_type in INDEX_TYPES
    if artifact.index_id or not may_be_index or artifact.platforms.exists():
        return
    if not _is_path(artifact.name) or not Connection.objects.filter(kind__in=OCI_KINDS).exists():
        return
    keep_reference(
        artifact.name,
        artifact.digest,
        service=artifact.service,
        event=taking.event,
        commit="",
        seen_at=taking.happened_at,
        due_at=taking.received_at,
    )


def settle_tag(artifact: Artifact, repository: str, tag: str, seen_at: datetime) -> None:
    """A sender has since said the tag's digest: the registry need not be asked any more."""
    UnresolvedReference.objects.filter(
        repository=repository, reference=tag, resolved_at=None, seen_at__lte=seen_at
    ).update(
        artifact=artifact,
        resolved_at=seen_at,
        next_ask_at=None,
        note="A sender said the digest later.",
    )


def _paths_of(service: Service) -> Iterable[str]:
    """Where the service's images are, by the newest of each name; else the name itself."""
    known: dict[str, str] = {}
    for name in (
        Artifact.objects.filter(service=service, index=None)
        .exclude(name="")
        .order_by("first_seen_at", "pk")
        .values_list("name", flat=True)
        .distinct()
    ):
        known[name.rpartition("/")[2]] = name
    return [known.get(name, name) for name in service.needed_artifacts]


def _can_be_asked(path: str, tag: str) -> bool:
    try:
        check_tag(tag)
    except InvalidNameError:
        return False
    return _is_path(path)


def _is_path(path: str) -> bool:
    try:
        check_repository_name(path)
    except InvalidNameError:
        return False
    return len(path) <= 300
