"""What nobody does and yet people must hear of: stuck promotions, times of freezes, overdue reviews."""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from promotion.formats import NO_BREAK, format_span
from promotion.models import BreakGlass, Freeze, Notification, Promotion
from promotion.rules.states import State
from promotion.rules.stuck import is_stuck, usual_limit

from .tell_freezes import tell_begin, tell_end
from .tell_moves import overdue_key, stuck_key, tell_review_overdue, tell_stuck

# Older runs tell little of how long one takes today, and the cost must not grow with the years.
LOOKED_BACK = timedelta(days=365)
MOST_AT_ONCE = 200
# What was missed for longer than this, while nothing ran here, is no longer news.
NEWS_FOR = timedelta(days=1)

Lane = tuple[int, str]


def find_stuck(*, at: datetime) -> int:
    """Tells of running promotions that last longer than 99 % of those of the same service and stage.

    Each is told of once; returns how many are stuck. Below eight that succeeded nothing is said.
    """
    running = list(
        Promotion.objects.for_display()
        .filter(state=State.RUNNING.value, started_at__isnull=False)
        .order_by("started_at")[:MOST_AT_ONCE]
    )
    told = _told([stuck_key(promotion.pk) for promotion in running])
    durations = _durations(running, at)
    stuck = 0
    for promotion in running:
        own = durations[promotion.service_id, promotion.stage]
        lasted = at - (promotion.started_at or at)
        if not is_stuck(lasted, own):
            continue
        stuck += 1
        if stuck_key(promotion.pk) not in told:
            _tell_stuck(promotion, lasted, own, at)
    return stuck


def _told(keys: list[str]) -> set[str]:
    """Those of the keys that somebody was told of in the app; telling again would change nothing."""
    return set(Notification.objects.filter(key__in=keys).values_list("key", flat=True))


def _durations(running: list[Promotion], at: datetime) -> dict[Lane, list[timedelta]]:
    """Per service and stage: how long those took that succeeded; one query."""
    found: dict[Lane, list[timedelta]] = defaultdict(list)
    lanes = {(one.service_id, one.stage) for one in running}
    rows = Promotion.objects.filter(
        state=State.SUCCEEDED.value,
        service__in={service for service, _ in lanes},
        stage__in={stage for _, stage in lanes},
        started_at__isnull=False,
        ended_at__gte=at - LOOKED_BACK,
    ).values_list("service", "stage", "started_at", "ended_at")
    for service, stage, started_at, ended_at in rows:
        if (service, stage) in lanes and started_at and ended_at:
            found[service, stage].append(ended_at - started_at)
    return found


@transaction.atomic
def _tell_stuck(
    promotion: Promotion, lasted: timedelta, durations: list[timedelta], at: datetime
) -> None:
    """Under the lock: one that ended meanwhile is not said to be stuck."""
    if Promotion.objects.locked(promotion.pk).state != State.RUNNING:
        return
    limit = usual_limit(durations)
    # A message is plain text: no spaces that some programs show oddly.
    usual = "" if limit is None else format_span(limit).replace(NO_BREAK, " ")
    ran = format_span(lasted).replace(NO_BREAK, " ")
    sentence = (
        f"{promotion.number} ({promotion.service.slug} {promotion.release.version} to"
        f" {promotion.environment.name}) has run for {ran}; 99 of 100 like it take"
        f" at most {usual}."
    )
    tell_stuck(promotion, sentence, at=at)


def tell_of_freezes(*, at: datetime) -> int:
    """Tells of freezes that have begun or ended by their time; returns how many."""
    since = at - NEWS_FOR
    begun = Q(begin_told_at=None, starts_at__lte=at, starts_at__gt=since, lifted_at=None)
    ended = Q(end_told_at=None, ends_at__lte=at, ends_at__gt=since, lifted_at=None)
    numbers = list(Freeze.objects.filter(begun | ended).values_list("pk", flat=True)[:MOST_AT_ONCE])
    for number in numbers:
        _tell_of_freeze(number, at)
    return len(numbers)


@transaction.atomic
def _tell_of_freeze(number: int, at: datetime) -> None:
    freeze = Freeze.objects.select_for_update().get(pk=number)
    if freeze.lifted_at is not None:
        return
    is_over = freeze.ends_at is not None and freeze.ends_at <= at
    if freeze.begin_told_at is None and not is_over:
        tell_begin(freeze, at=at)
    if freeze.end_told_at is None and is_over:
        tell_end(freeze, at=at)


def tell_of_overdue_reviews(*, at: datetime) -> int:
    """Tells the reviewers of broken glasses whose review is overdue, once; returns how many."""
    rows = (
        BreakGlass.objects.overdue(at)
        .filter(review_due_at__gt=at - NEWS_FOR)
        .select_related(
            "broken_by", "promotion__release", "promotion__service__team", "promotion__environment"
        )
    )
    overdue = list(rows[:MOST_AT_ONCE])
    told = _told([overdue_key(glass) for glass in overdue])
    found = [glass for glass in overdue if overdue_key(glass) not in told]
    for glass in found:
        tell_review_overdue(glass, at=at)
    return len(found)
