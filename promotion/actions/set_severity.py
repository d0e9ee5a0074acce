"""From which severity on the incidents of a sender count."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import InputError, NotAllowedError
from promotion.models import Sender, User
from promotion.rules.severity import CHOICES

from .audit import record


@transaction.atomic
def set_least_severity(slug: str, word: str, *, person: User, at: datetime) -> Sender:
    """Incidents below it are only suspected from now on; empty = all count.

    NotAllowedError for who may not configure, InputError for a word that is no choice.
    """
    if not person.may_configure():
        raise NotAllowedError(
            "Setting the severity takes a platform engineer or an administrator."
            " Nothing was changed."
        )
    if word and word not in CHOICES:
        raise InputError(f"A severity is one of {', '.join(CHOICES)}. Nothing was changed.")
    sender = Sender.objects.select_for_update().get(slug=slug)
    if sender.least_severity == word:
        return sender
    details = {"before": sender.least_severity, "after": word}
    sender.least_severity = word
    sender.save(update_fields=["least_severity"])
    record("sender.severity", sender, actor=person, at=at, details=details)
    return sender
