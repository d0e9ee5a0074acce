"""Promotions that ended badly and that nobody has answered yet."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from promotion.models import Promotion
from promotion.models.promotion import PromotionQuerySet
from promotion.rules.states import State

# What failed longer ago has been answered in some other way, or nobody wants it any more.
ASKED_FOR = timedelta(days=30)


def unanswered_failures(at: datetime) -> PromotionQuerySet:
    """Failed and errored ones with nothing newer in their lane, newest end first."""
    newer = Promotion.objects.filter(
        service=OuterRef("service"),
        environment=OuterRef("environment"),
        asked_at__gt=OuterRef("asked_at"),
    )
    rows = Promotion.objects.filter(
        state__in=[State.FAILED.value, State.ERRORED.value], ended_at__gt=at - ASKED_FOR
    )
    return rows.exclude(Exists(newer)).order_by("-ended_at", "-pk")
