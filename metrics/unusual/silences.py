"""Senders and services that are quiet for longer than is usual for them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from metrics.anomalies.base import SILENCE
from promotion.formats import format_span
from promotion.models import Deployment, Event, Sender, Service
from promotion.rules.silence import Silence, measure_silence

from .candidates import QUIET, Candidate
from .words import TIME

LOOKED_BACK = timedelta(days=180)
MOST = 5000
SECONDS = 3600


def find_silent_senders(at: datetime) -> list[Candidate]:
    """The senders that are switched on and unusually quiet; a query for each."""
    found = []
    # Not their secrets: nothing here needs them decrypted.
    for sender in Sender.objects.filter(is_active=True).only("slug", "name"):
        times = (
            Event.objects.filter(sender=sender, received_at__gt=at - LOOKED_BACK)
            .filter(received_at__lte=at)
            .order_by("-received_at")
            .values_list("received_at", flat=True)[:MOST]
        )
        silence, last = _measure(times, at)
        if silence is not None and last is not None:
            rows = f"{reverse('event-list')}?{urlencode({'sender': sender.slug})}"
            found.append(_make(f"Sender {sender.name}", silence, last, at, rows, sender=sender.pk))
    return found


def find_silent_service(service: Service, at: datetime) -> list[Candidate]:
    """The service, where none of its deployments ended for longer than is usual; one query."""
    times = (
        Deployment.objects.filter(service=service, finished_at__gt=at - LOOKED_BACK)
        .filter(finished_at__lte=at)
        .order_by("-finished_at")
        .values_list("finished_at", flat=True)[:MOST]
    )
    silence, last = _measure(times, at)
    if silence is None or last is None:
        return []
    query = urlencode({"service": service.slug})
    rows = f"{reverse('measure-rows', args=['automated-share'])}?{query}"
    name = f"Deployments of {service.slug}"
    return [_make(name, silence, last, at, rows, service=service.pk)]


def _measure(
    times: Iterable[datetime | None], at: datetime
) -> tuple[Silence | None, datetime | None]:
    """The silence where it is unusual, and since when.

    Gaps lie between hours in which something came: those within a burst say nothing of how long
    a night is.
    """
    known = [time for time in times if time is not None]
    hours = {time.replace(minute=0, second=0, microsecond=0) for time in known}
    silence = measure_silence(sorted(hours), at)
    if silence is None or not silence.is_unusual:
        return None, None
    last = max(known)
    # By the true last time, not by the hour it lies in.
    if at - last <= silence.usual:
        return None, None
    return Silence(at - last, silence.usual, silence.gaps), last


def _make(
    name: str,
    silence: Silence,
    last: datetime,
    at: datetime,
    rows: str,
    *,
    sender: int | None = None,
    service: int | None = None,
) -> Candidate:
    zone = ZoneInfo(settings.TIME_ZONE)
    whose = f"sender-{sender}" if sender else f"service-{service}"
    return Candidate(
        family=f"{whose}:{QUIET}:{SILENCE}",
        measure=QUIET,
        rule=SILENCE,
        sentence=(
            f"{name}: nothing for {format_span(silence.lasted)}; 99 of 100 of the gaps are within"
            f" {format_span(silence.usual)}."
        ),
        is_worse=True,
        first_day=last.astimezone(zone).date(),
        last_day=at.astimezone(zone).date(),
        happened_at=at,
        rows=rows,
        details={
            "unit": TIME,
            "value": silence.lasted.total_seconds() / SECONDS,
            "baseline": {"n": silence.gaps},
            "limits": {"low": None, "high": silence.usual.total_seconds() / SECONDS},
        },
        unit=last.isoformat(),
        sender=sender,
        service=service,
    )
