"""Incidents as facts, with what their senders and people say of them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from metrics.measures.base import IncidentFact
from promotion.models import Incident, IncidentVerdict
from promotion.rules.severity import is_severe

from .naming import deployment_key, incident_key, promotion_key

Word = IncidentVerdict.Word
COLUMNS = (
    "pk",
    "service__slug",
    "environment__slug",
    "opened_at",
    "resolved_at",
    "received_at",
    "deployment_id",
    "confidence",
    "named",
    "severity",
    "event__sender__least_severity",
)
Said = tuple[str, int | None]  # a person's word, and the deployment they named


def load_incidents(
    as_of: datetime, services: Collection[int] | None = None
) -> tuple[IncidentFact, ...]:
    """The incidents opened and received by `as_of`, with what their senders and people say."""
    rows = Incident.objects.filter(received_at__lte=as_of)
    if services is not None:
        rows = rows.filter(service__in=services)
    return _read_incidents(rows, as_of)


def load_homeless_incidents(as_of: datetime) -> tuple[IncidentFact, ...]:
    """The incidents received by `as_of` that are of no service."""
    return _read_incidents(Incident.objects.filter(received_at__lte=as_of, service=None), as_of)


def _read_incidents(rows: QuerySet[Incident], as_of: datetime) -> tuple[IncidentFact, ...]:
    said = _load_words(rows, as_of)
    found = rows.exclude(opened_at=None).order_by("pk").values_list(*COLUMNS)
    return tuple(_read_incident(row, said.get(row[0])) for row in found.iterator())


def _load_words(rows: QuerySet[Incident], as_of: datetime) -> dict[int, Said]:
    """What a person said last of each incident by `as_of`; what was withdrawn was not said."""
    words = IncidentVerdict.objects.filter(incident__in=rows, at__lte=as_of).order_by("at", "pk")
    found = {
        key: (word, chosen)
        for key, word, chosen in words.values_list("incident_id", "word", "deployment_id")
    }
    return {key: said for key, said in found.items() if said[0] != Word.WITHDRAWN}


def _read_incident(row: tuple[Any, ...], said: Said | None) -> IncidentFact:
    key, service, environment, opened_at, resolved_at, received_at = row[:6]
    deployment, confidence, named, severity, least = row[6:]
    if said is None:
        word = {
            Incident.Confidence.CONFIRMED: Word.CONFIRMED,
            Incident.Confidence.DISPUTED: Word.DISPUTED,
        }.get(confidence)
        chosen = deployment if word == Word.CONFIRMED else None
        explicit = deployment if confidence == Incident.Confidence.EXPLICIT else None
    else:
        word, chosen = Word(said[0]), None
        # A person corrects what was named or inferred, so it goes before both.
        explicit = said[1] or (deployment if confidence == Incident.Confidence.EXPLICIT else None)
    return IncidentFact(
        id=incident_key(key),
        service=service or "",
        environment=environment or "",
        opened_at=opened_at,
        received_at=received_at,
        resolved_at=resolved_at,
        deployment=deployment_key(explicit) if explicit else None,
        promotion=None if explicit else read_promotion(named),
        digest=named if not explicit and named.startswith("sha256:") else None,
        severe=is_severe(severity, least or ""),
        confirmed=word in (Word.CONFIRMED, Word.LINKED),
        disputed=word == Word.DISPUTED,
        linked_by_person=deployment_key(chosen) if chosen else None,
    )


def read_promotion(named: str) -> str | None:
    """The promotion a sender named by its number, with or without its letter."""
    number = named.upper().removeprefix("P-")
    return promotion_key(int(number)) if number.isascii() and number.isdigit() else None
