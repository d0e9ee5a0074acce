"""Observations, incidents, evidence, changes and approvals of other tools."""

from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from promotion.models import Artifact, Commit, Deployment, Evidence, Incident, Observation, Target

from .recorded import Recorded, Taking, fit, nothing


def record_observation(taking: Taking) -> Recorded:
    """A digest was seen running somewhere."""
    fact = taking.fact
    service, environment = taking.service, taking.environment
    if not fact.digest:
        return nothing("An observation without a digest does not say what runs.")
    if service is None or environment is None:
        place = taking.placed.place
        why = place.service_why if service is None else place.environment_why
        return nothing(why, is_unmapped=True)
    artifact = Artifact.objects.select_related("index").filter(digest=fact.digest).first()
    artifact = artifact.index if artifact and artifact.index else artifact
    if fact.target:
        Target.objects.get_or_create(environment=environment, name=fact.target)
    observation, is_new = Observation.objects.get_or_create(
        service=service,
        environment=environment,
        target=fact.target or "",
        digest=artifact.digest if artifact else fact.digest,
        seen_at=taking.happened_at,
        defaults={"artifact": artifact, "received_at": taking.received_at, "event": taking.event},
    )
    return Recorded("created" if is_new else "unchanged", observation, service)


def record_incident(taking: Taking) -> Recorded:
    """An incident was opened or resolved; whichever message comes first, both times are kept."""
    fact = taking.fact
    service, environment = taking.service, taking.environment
    incident, is_new = Incident.objects.get_or_create(
        source=taking.event.source,
        external_id=fact.external_id or f"{fact.name or ''}@{taking.happened_at.isoformat()}",
        defaults={"received_at": taking.received_at, "event": taking.event},
    )
    column = "resolved_at" if fact.result == "resolved" else "opened_at"
    known: datetime | None = getattr(incident, column)
    if known is None or (column == "opened_at" and taking.happened_at < known):
        setattr(incident, column, taking.happened_at)
    incident.service = incident.service or service
    incident.environment = incident.environment or environment
    incident.title = incident.title or fit(Incident, "title", fact.name)
    incident.severity = fit(Incident, "severity", fact.severity) or incident.severity
    incident.url = incident.url or (fact.url or "")
    incident.named = incident.named or fact.deployment or fact.promotion or fact.digest or ""
    if incident.deployment is None and incident.named:
        incident.deployment = _named_deployment(incident)
        incident.confidence = Incident.Confidence.EXPLICIT if incident.deployment else ""
    incident.save()
    note = "" if incident.service else "It matches no service of the catalog; kept."
    return Recorded("created" if is_new else "updated", incident, incident.service, note=note)


def _named_deployment(incident: Incident) -> Deployment | None:
    """The deployment the sender named: by its id, its promotion's number, or its digest."""
    ended = Deployment.objects.exclude(finished_at=None).order_by("-finished_at")
    if incident.service:
        ended = ended.filter(service=incident.service)
    number = incident.named.upper().removeprefix("P-")
    found = (
        ended.filter(external_id=incident.named).first()
        or ended.filter(digest=incident.named).first()
    )
    return found or (ended.filter(promotion=int(number)).first() if number.isdecimal() else None)


def record_evidence(taking: Taking) -> Recorded:
    """A statement about a digest (or, for want of one, a commit)."""
    fact = taking.fact
    artifact = Artifact.objects.filter(digest=fact.digest).first() if fact.digest else None
    evidence, is_new = Evidence.objects.get_or_create(
        digest=fact.digest or "",
        commit=fact.commit or "",
        type=(fact.name or "")[:40],
        external_id=(fact.external_id or "")[:200],
        issued_at=taking.happened_at,
        defaults={
            "artifact": artifact,
            "title": fit(Evidence, "title", str(fact.details.get("title") or "")),
            "result": fact.result or "",
            "url": fact.url or "",
            "details": fact.details,
            "received_at": taking.received_at,
            "event": taking.event,
        },
    )
    note = "" if artifact else "It speaks of a digest no artifact is known of; kept."
    return Recorded(
        "created" if is_new else "unchanged",
        evidence,
        artifact.service if artifact else taking.service,
        note=note,
    )


def record_change(taking: Taking) -> Recorded:
    """A ref came to point at a commit; the commits a push tells of are kept in their order."""
    fact = taking.fact
    if not fact.repository or not fact.commit:
        return nothing("It names no repository or no commit.")
    parent = str(fact.details.get("before") or "")
    row = None
    for told in fact.details.get("commits") or [{"sha": fact.commit}]:
        row, parent = _know_commit(fact.repository, told, parent), str(told.get("sha") or parent)
    service = taking.service
    return Recorded(
        "created", row, service, note="" if service else "No service has this repository; kept."
    )


def _know_commit(repository: str, told: dict[str, Any], parent: str) -> Commit:
    commit, is_new = Commit.objects.get_or_create(
        repository=repository,
        sha=str(told.get("sha")),
        defaults={
            "parent_sha": "" if set(parent) <= {"0"} else parent,
            "author_name": str(told.get("author_name") or "")[:200],
            "author_address": str(told.get("author_email") or "").lower()[:254],
            "co_author_addresses": [
                str(one.get("email") or "").lower() for one in told.get("co_authors") or []
            ],
            "message": str(told.get("message") or ""),
            "committed_at": _time(told.get("at")),
        },
    )
    if not is_new and not commit.message and told.get("message"):
        # First known by its name alone, now told whole.
        Commit.objects.filter(pk=commit.pk).update(
            parent_sha=commit.parent_sha or parent,
            author_name=str(told.get("author_name") or "")[:200],
            author_address=str(told.get("author_email") or "").lower()[:254],
            message=str(told["message"]),
            committed_at=_time(told.get("at")),
        )
    return commit


def _time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return parse_datetime(value) if isinstance(value, str) else None


def record_approval(_: Taking) -> Recorded:
    """Another tool's approval is kept with its event; it does not count for ours, which bind a digest."""
    return nothing(
        "An approval given in another tool is kept with this event and decides nothing here."
    )
