"""What Celery may call of the measures."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from metrics.actions.find_anomalies import find_anomalies, find_slow_promotions
from metrics.actions.recompute_checks import recompute_checks, recompute_due
from metrics.actions.refresh_facts import refresh_stale
from metrics.actions.remind import remind
from metrics.models import ServiceState
from promotion.models import Team

# A little more than the schedule; what a scheduler that was away missed is judged with all.
LATELY = timedelta(seconds=75)


@shared_task
def refresh() -> int:
    """Brings the facts of every service up to date of which something changed."""
    return refresh_stale(timezone.now())


@shared_task
def judge_lately() -> int:
    """Finds what is unusual about the services whose facts have just changed, and promotions."""
    at = timezone.now()
    changed = ServiceState.objects.filter(refreshed_at__gt=at - LATELY)
    find_slow_promotions(at)
    return find_anomalies(at, list(changed.values_list("service_key", flat=True)))


@shared_task
def judge_all() -> int:
    """Finds what is unusual about every service, all together, and the senders."""
    return find_anomalies(timezone.now())


@shared_task
def measure_due_teams() -> int:
    """Finds what the checks say of every team that was not measured today."""
    return recompute_due(timezone.now())


@shared_task
def measure_team(key: int) -> int:
    """Finds anew what the checks say of one team."""
    return recompute_checks(timezone.now(), teams=Team.objects.filter(pk=key))


@shared_task
def remind_teams() -> int:
    """Tells teams of this quarter's assessment and owners of their actions; each thing once."""
    return remind(timezone.now())
