"""What every page's frame shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from promotion.actions.verify_audit import may_read_audit
from promotion.models import Notification, Promotion, User


def frame(request: HttpRequest) -> dict[str, Any]:
    """The organisation's name, and how much waits for the person; read only where a template asks."""
    person = getattr(request, "user", None)
    if not isinstance(person, User):
        return {"organisation": settings.ORGANISATION}
    return {
        "organisation": settings.ORGANISATION,
        "may_read_audit": SimpleLazyObject(lambda: may_read_audit(person)),
        "inbox_count": SimpleLazyObject(lambda: Promotion.objects.waiting_for(person).count()),
        "unread_count": SimpleLazyObject(lambda: _count_unread(person)),
    }


def _count_unread(person: User) -> int:
    """Up to a hundred: more are shown as 99+, and counting them would cost more with every month."""
    return Notification.objects.unread().filter(person=person)[:100].count()
