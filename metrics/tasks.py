"""What Celery may call of the measures."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from metrics.actions.find_anomalies import find_anomalies, find_slow_promotions
from metrics.actions.recompute_checks import recompute_checks, recompute_due
from metrics.actions.refresh_facts import refresh_stale
from metrics.actions.remind import remind
from metrics.actions.tell_summary import has_hearers, tell_summary
from metrics.models import ServiceState
from metrics.summaries import QUARTER, WEEK, last_span
from metrics.views.summary import find_today, tell_span
from promotion.models import Team

DAYS_AFTER_QUARTER = 7

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


@shared_task
def tell_summaries() -> int:
    """Tells of the last week, and of the last quarter soon after it; each once.

    A day later than they are over, so that the usual watch window of a day is over too.
    """
    at = timezone.now()
    today = find_today(at) - timedelta(days=1)
    spans = [last_span(WEEK, today)]
    quarter = last_span(QUARTER, today)
    if (today - quarter.to).days < DAYS_AFTER_QUARTER:
        spans.append(quarter)
    if not has_hearers():
        return 0
    for span in spans:
        tell_summary(span, tell_span(span, at), at)
    return len(spans)
