"""What a person does with their own notifications: read them, and choose how to hear of what."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from promotion.models import NoticeKind, Notification, NotificationChoice, User

from .audit import record
from .tell import usual_choice


@transaction.atomic
def mark_read(person: User, *, at: datetime, number: int | None = None) -> int:
    """Marks one of the person's notifications as read, or all; returns how many were not yet.

    What is another's is left as it is. Nothing on the audit record: reading decides nothing.
    """
    rows = Notification.objects.unread().filter(person=person)
    if number is not None:
        rows = rows.filter(pk=number)
    return rows.update(read_at=at)


def choices_of(person: User) -> dict[NoticeKind, tuple[bool, bool]]:
    """For every kind: in the app, by mail; the usual where the person has not chosen."""
    chosen = {
        row.kind: (row.in_app, row.by_mail)
        for row in NotificationChoice.objects.filter(person=person)
    }
    return {kind: chosen.get(kind.value, usual_choice(kind.value)) for kind in NoticeKind}


@transaction.atomic
def choose(person: User, chosen: Mapping[NoticeKind, tuple[bool, bool]], *, at: datetime) -> None:
    """Keeps how the person wants to hear of each kind, from now on."""
    NotificationChoice.objects.bulk_create(
        [
            NotificationChoice(person=person, kind=kind, in_app=in_app, by_mail=by_mail)
            for kind, (in_app, by_mail) in chosen.items()
        ],
        update_conflicts=True,
        unique_fields=["person", "kind"],
        update_fields=["in_app", "by_mail"],
    )
    details = {
        kind.value: [way for way, is_on in (("app", in_app), ("mail", by_mail)) if is_on]
        for kind, (in_app, by_mail) in chosen.items()
    }
    record("notifications.choose", person, actor=person, at=at, details=details)
