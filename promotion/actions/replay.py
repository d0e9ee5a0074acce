"""Having a kept event processed again, as after its mapping was mended."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, NotAllowedError
from promotion.models import Event, Role, User

from .audit import record


@transaction.atomic
def replay_event(event: int, *, person: User, at: datetime) -> Event:
    """Sets a processed event back to received; what it became stays on record with the entry.

    NotAllowedError where the person is no platform engineer, ConflictError where the event still
    waits to be processed. Nothing was changed then.
    """
    found = Event.objects.select_for_update().get(pk=event)
    if not may_replay(person):
        raise NotAllowedError(
            f"{person.name} may not have events processed again: that takes a platform engineer."
            " Nothing was changed."
        )
    if found.state == Event.State.RECEIVED:
        raise ConflictError(
            "This event still waits to be processed, so there is nothing to repeat."
            " Nothing was changed."
        )
    before = {"state": found.state, "summary": found.summary, "attempts": found.attempts}
    found.state = Event.State.RECEIVED
    found.summary, found.attempts, found.processed_at = "", 0, None
    found.save(update_fields=["state", "summary", "attempts", "processed_at"])
    record("event.replay", found, actor=person, at=at, details={"before": before})
    return found


def may_replay(person: User) -> bool:
    """Those who mend mappings."""
    return person.has_role(None, Role.PLATFORM_ENGINEER)
