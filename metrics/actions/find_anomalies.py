"""Computing what is unusual: new anomalies open and are told of, those no longer so close."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from metrics.anomalies.base import NEAR, SHIFT, SIDE
from metrics.measures.results import DEFINITION
from metrics.models import Anomaly, ServiceState, StaleService
from metrics.models.anomaly import AnomalyQuerySet
from metrics.rollups.watching import EVERY_SERVICE
from metrics.unusual import (
    Candidate,
    Scope,
    find_in_series,
    find_silent_senders,
    find_silent_service,
    find_slow,
)
from metrics.unusual.candidates import DURATION
from promotion.actions.finish import wake_service
from promotion.actions.tell import News, tell
from promotion.actions.tell_moves import people_with_roles
from promotion.models import (
    NoticeKind,
    Notification,
    NotificationDelivery,
    Role,
    Service,
    User,
)

NEWS_FOR = timedelta(days=14)  # what was over longer ago is no news
# Events come in any order, and history in pieces: what is over by then was never so.
TOLD_AFTER = timedelta(minutes=10)
LAG = timedelta(minutes=2)
# Where a stretch begins may move by a few weeks as points are added; it stays the same anomaly.
STRETCHES, SAME_WITHIN = (SHIFT, SIDE, NEAR), timedelta(days=28)


def find_anomalies(at: datetime, services: Collection[int] | None = None) -> int:
    """Judges the services (keys; None: all, all together, and the senders); returns how many are open.

    Computing again makes nothing twice. A transaction a service. A service whose facts lag is left
    as it is: half of a history would look unusual.
    """
    behind = _find_behind(at)
    rows = Service.objects.select_related("team").exclude(pk__in=behind).order_by("pk")
    for service in rows if services is None else rows.filter(pk__in=services):
        found = [
            *find_in_series(Scope(service), at),
            *find_silent_service(service, at),
            *find_slow(at, [service.pk]),
        ]
        keep_found(Anomaly.objects.filter(service=service), found, at)
    if services is None:
        if not behind:
            together = Anomaly.objects.filter(service=None, sender=None)
            keep_found(together, find_in_series(Scope(), at), at)
        keep_found(Anomaly.objects.exclude(sender=None), find_silent_senders(at), at)
    return Anomaly.objects.open().count()


def _find_behind(at: datetime) -> set[int]:
    """The services of which something changed, and whose facts were not made anew lately."""
    noted = set(StaleService.objects.values_list("service_key", flat=True).distinct())
    if not noted:
        return set()
    lately = ServiceState.objects.filter(refreshed_at__gt=at - LAG)
    fresh = set(lately.values_list("service_key", flat=True))
    known = Service.objects.values_list("pk", flat=True)
    changed = {*known} if EVERY_SERVICE in noted else noted & {*known}
    return changed - fresh


def find_slow_promotions(at: datetime) -> int:
    """Judges the promotions alone, which needs no figures; returns how many are unusual."""
    found = find_slow(at)
    keep_found(Anomaly.objects.filter(measure=DURATION), found, at)
    return len(found)


@transaction.atomic
def keep_found(known: AnomalyQuerySet, found: Sequence[Candidate], at: datetime) -> None:
    """Of `known` those found stay or open again, the others close; what is new is told of."""
    rows = {row.key: row for row in known.select_for_update(of=("self",)).order_by("pk")}
    kept: set[int] = set()
    touched: set[int | None] = set()
    news: list[tuple[Anomaly, Candidate]] = []
    for candidate in found:
        row = _find_same(rows.values(), candidate)
        if row is None:
            row, is_new = Anomaly.objects.get_or_create(
                key=candidate.key, defaults={**_columns(candidate), "opened_at": at}
            )
            if is_new:
                touched.add(row.service_id)
        else:
            _update(row, candidate)
            if row.state == "open" and at - row.opened_at >= TOLD_AFTER:
                news.append((row, candidate))
        kept.add(row.pk)
    _tell_news(news, at)
    gone = [row for row in rows.values() if row.closed_at is None and row.pk not in kept]
    Anomaly.objects.filter(pk__in=[row.pk for row in gone]).update(closed_at=at)
    touched.update(row.service_id for row in gone)
    for key in sorted(key for key in touched if key is not None):
        wake_service(key, at)


def _find_same(rows: Iterable[Anomaly], candidate: Candidate) -> Anomaly | None:
    """The row of the same key, or of a stretch that began at nearly the same time."""
    near = []
    for row in rows:
        if row.key == candidate.key:
            return row
        is_stretch = candidate.rule in STRETCHES and not candidate.unit
        if is_stretch and row.key.startswith(f"{candidate.family}:"):
            distance = abs(row.first_day - candidate.first_day)
            if distance <= SAME_WITHIN:
                near.append((distance, row.pk, row))
    return min(near)[2] if near else None


def _columns(candidate: Candidate) -> dict[str, object]:
    return {
        "service_id": candidate.service,
        "environment_id": candidate.environment,
        "sender_id": candidate.sender,
        "promotion_id": candidate.promotion,
        "measure": candidate.measure,
        "rule": candidate.rule,
        "sentence": candidate.sentence[:500],
        "is_worse": candidate.is_worse,
        "details": candidate.details,
        "rows": candidate.rows,
        "first_day": candidate.first_day,
        "last_day": candidate.last_day,
        "definition": DEFINITION,
    }


def _update(row: Anomaly, candidate: Candidate) -> None:
    """What it says now; found again after it closed it is open again, dismissed it stays so."""
    changed = {
        name: value for name, value in _columns(candidate).items() if value != getattr(row, name)
    }
    if row.closed_at is not None:
        changed["closed_at"] = None
    if changed:
        Anomaly.objects.filter(pk=row.pk).update(**changed)


def _tell_news(found: Sequence[tuple[Anomaly, Candidate]], at: datetime) -> None:
    """Each is told once; two queries where all were told."""
    keys = [_key(row) for row, _ in found]
    told = {
        *Notification.objects.filter(key__in=keys).values_list("key", flat=True),
        *NotificationDelivery.objects.filter(key__in=keys).values_list("key", flat=True),
    }
    for row, candidate in found:
        if _key(row) not in told:
            _tell(row, candidate, at)


def _key(row: Anomaly) -> str:
    return f"anomaly:{row.pk}"


def _tell(row: Anomaly, candidate: Candidate, at: datetime) -> None:
    """The release managers of the team; not what is good, long past, or told as stuck already."""
    is_told_as_stuck = bool(candidate.details.get("is_running"))
    if not row.is_worse or is_told_as_stuck or at - candidate.happened_at > NEWS_FOR:
        return
    service: Service | None = None
    if row.service_id is not None:
        service = Service.objects.select_related("team").get(pk=row.service_id)
    people: list[User] = []
    if service is not None:
        people = people_with_roles(service.team, Role.RELEASE_MANAGER)
    news = News(
        kind=NoticeKind.ANOMALY,
        key=_key(row),
        sentence=row.sentence.replace("\u00a0", " "),
        link=f"/measures/anomalies/{row.pk}/",
        service=service,
        environment=row.environment,
        facts={"anomaly": str(row), "measure": row.measure, "rule": row.rule},
    )
    tell(people, news, at=at)
