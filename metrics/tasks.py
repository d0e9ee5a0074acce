"""What Celery may call of the measures."""

from celery import shared_task
from django.utils import timezone

from metrics.actions.refresh_facts import refresh_stale


@shared_task
def refresh() -> int:
    """Brings the facts of every service up to date of which something changed."""
    return refresh_stale(timezone.now())
