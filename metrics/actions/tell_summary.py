"""Telling people of a week or quarter that is over: those only who chose to hear of it, once."""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.urls import reverse

from metrics.summaries import Span
from promotion.actions.tell import News, tell
from promotion.models import NoticeKind, NotificationChannel, User


def find_hearers() -> QuerySet[User]:
    """Who chose summaries, in the app or by mail."""
    is_chosen = Q(notification_choices__in_app=True) | Q(notification_choices__by_mail=True)
    chosen = Q(notification_choices__kind=NoticeKind.SUMMARY) & is_chosen
    return User.objects.filter(chosen, is_active=True).distinct()


def has_hearers() -> bool:
    """Whether anybody, or any channel, hears of summaries."""
    kinds = NotificationChannel.objects.filter(is_active=True).values_list("kinds", flat=True)
    return any(NoticeKind.SUMMARY in each for each in kinds) or find_hearers().exists()


def tell_summary(span: Span, sentence: str, at: datetime) -> None:
    """Tells the sentence and the page that shows the rest; repeating is harmless."""
    link = f"{reverse('measure-summary')}?of={span.name}"
    news = News(NoticeKind.SUMMARY, f"summary:{span.name}", sentence, link)
    tell(find_hearers(), news, at=at)
