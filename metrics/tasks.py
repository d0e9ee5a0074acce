"""What Celery may call of the measures."""

from celery import shared_task
from django.utils import timezone

from metrics.actions.recompute_checks import recompute_checks, recompute_due
from metrics.actions.refresh_facts import refresh_stale
from promotion.models import Team


@shared_task
def refresh() -> int:
    """Brings the facts of every service up to date of which something changed."""
    return refresh_stale(timezone.now())


@shared_task
def measure_due_teams() -> int:
    """Finds what the checks say of every team that was not measured today."""
    return recompute_due(timezone.now())


@shared_task
def measure_team(key: int) -> int:
    """Finds anew what the checks say of one team."""
    return recompute_checks(timezone.now(), teams=Team.objects.filter(pk=key))
