"""Promotions that run, or ran, far longer than those of their service and stage."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from metrics.anomalies.base import SLOW
from metrics.anomalies.durations import Slowness, measure_slowness
from promotion.formats import format_span
from promotion.models import Promotion
from promotion.rules.states import State

from .candidates import DURATION, Candidate
from .words import TIME

LOOKED_BACK, JUDGED = timedelta(days=365), timedelta(days=14)
ENDED = (State.SUCCEEDED.value, State.FAILED.value, State.ERRORED.value)
MOST = 500
SECONDS = 3600


def find_slow(at: datetime, services: Collection[int] | None = None) -> list[Candidate]:
    """Those that run now or ended in the last two weeks, each held against all others; two queries."""
    lately = Q(state=State.RUNNING.value) | Q(state__in=ENDED, ended_at__gt=at - JUDGED)
    rows = Promotion.objects.filter(lately, started_at__isnull=False, started_at__lte=at)
    if services is not None:
        rows = rows.filter(service__in=services)
    judged = list(
        rows.select_related("service", "environment", "release").order_by("-started_at")[:MOST]
    )
    others = _find_others(judged, at)
    found = []
    for promotion in judged:
        started = promotion.started_at or at
        lasted = ((promotion.ended_at or at) - started).total_seconds()
        kind = others[promotion.service_id, promotion.stage]
        own = [seconds for key, seconds in kind.items() if key != promotion.pk]
        slow = measure_slowness(lasted, own)
        if slow is not None and slow.is_unusual:
            found.append(_make(promotion, lasted, slow, at))
    return found


def _find_others(judged: list[Promotion], at: datetime) -> dict[tuple[int, str], dict[int, float]]:
    """Per service and stage: how many seconds those took that succeeded in the last year."""
    rows = Promotion.objects.filter(
        state=State.SUCCEEDED.value,
        service__in={each.service_id for each in judged},
        stage__in={each.stage for each in judged},
        started_at__isnull=False,
        ended_at__gt=at - LOOKED_BACK,
        ended_at__lte=at,
    )
    found: dict[tuple[int, str], dict[int, float]] = defaultdict(dict)
    for key, service, stage, started, ended in rows.values_list(
        "pk", "service", "stage", "started_at", "ended_at"
    ):
        if started and ended:
            found[service, stage][key] = (ended - started).total_seconds()
    return found


def _make(promotion: Promotion, lasted: float, slow: Slowness, at: datetime) -> Candidate:
    zone = ZoneInfo(settings.TIME_ZONE)
    ended = promotion.ended_at
    first = (promotion.started_at or at).astimezone(zone).date()
    verb, tense = ("ran", "took") if ended else ("has run", "took")
    share = round(slow.longer_than * 100)
    sentence = (
        f"{promotion.number} ({promotion.service.slug} {promotion.release.version} to"
        f" {promotion.environment.name}) {verb} for {format_span(lasted)}, longer than"
        f" {share} % of the {slow.n} of its kind; half of them {tense} at most"
        f" {format_span(slow.median)}."
    )
    return Candidate(
        family=f"service-{promotion.service_id}:{DURATION}:{SLOW}",
        measure=DURATION,
        rule=SLOW,
        sentence=sentence,
        is_worse=True,
        first_day=first,
        last_day=(ended or at).astimezone(zone).date(),
        happened_at=ended or at,
        rows=f"/promotions/{promotion.pk}/",
        details={
            "unit": TIME,
            "value": lasted / SECONDS,
            "z": slow.z,
            "longer_than": slow.longer_than,
            "is_running": ended is None,
            "baseline": {"n": slow.n, "centre": slow.median / SECONDS},
            "limits": {"low": None, "high": slow.limit / SECONDS},
        },
        unit=f"P-{promotion.pk}",
        service=promotion.service_id,
        environment=promotion.environment_id,
        promotion=promotion.pk,
    )
