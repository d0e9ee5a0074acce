"""What is set aside: facts in no figure, and those that belong to no service."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Min

from metrics.facts import Clocks, load_homeless
from metrics.measures.history import History
from metrics.measures.knowledge import SetAside
from metrics.models import AsideFact
from promotion.models import Build, Incident

from .service_facts import NO_SERVICE, ServiceFacts


def make_aside(cause: str, facts: Iterable[SetAside], key: int) -> Iterator[AsideFact]:
    """The facts set aside for one cause, each once; nobody asks for their environment or kind."""
    zone = ZoneInfo(settings.TIME_ZONE)
    for unit, at in sorted({(fact.id, fact.at) for fact in facts}):
        yield AsideFact(
            service_id=key or None,
            cause=cause,
            unit=unit,
            at=at,
            day=at.astimezone(zone).date(),
        )


def compute_homeless(at: datetime) -> ServiceFacts:
    """What belongs to no service: it is counted beside, and in no figure."""
    record = load_homeless(at)
    knowledge = History(record, at).knowledge
    later = [
        *Incident.objects.filter(service=None, received_at__gt=at)
        .aggregate(at=Min("received_at"))
        .values(),
        *Incident.objects.filter(service=None, resolved_at__gt=at)
        .aggregate(at=Min("resolved_at"))
        .values(),
        *Build.objects.filter(service=None, received_at__gt=at)
        .aggregate(at=Min("received_at"))
        .values(),
    ]
    told: list[Any] = [*record.incidents, *record.builds]
    received = [fact.received_at for fact in told]
    found = ServiceFacts(
        NO_SERVICE,
        at,
        clocks=Clocks(max(received, default=None), min((t for t in later if t), default=None)),
        has_any=bool(knowledge.unmapped or knowledge.quarantined),
        has_unmapped=bool(knowledge.unmapped),
    )
    found.rows[AsideFact] = [
        *make_aside("quarantined", knowledge.quarantined, NO_SERVICE),
        *make_aside("unmapped", knowledge.unmapped, NO_SERVICE),
    ]
    return found
