"""Dismissing an anomaly: a person says why it needs nothing."""

from datetime import datetime

from django.db import transaction

from metrics.models import Anomaly
from promotion.actions.audit import record
from promotion.actions.checking import check_words
from promotion.actions.finish import wake_service
from promotion.exceptions import ConflictError, NotAllowedError
from promotion.models import Role, User

LONGEST_REASON = 500


def may_dismiss(person: User, anomaly: Anomaly) -> bool:
    """A release manager of the service's team; of what is of all one of all teams; of a sender who configures."""
    if anomaly.sender_id is not None:
        return person.may_configure()
    team = anomaly.service.team if anomaly.service else None
    return person.has_role(team, Role.RELEASE_MANAGER)


@transaction.atomic
def dismiss_anomaly(key: int, *, reason: str, person: User, at: datetime) -> Anomaly:
    """It is open no more, and stays dismissed when it is found again.

    NotAllowedError, InputError without a reason, ConflictError where it is dismissed already.
    """
    anomaly = (
        Anomaly.objects.select_for_update(of=("self",)).select_related("service__team").get(pk=key)
    )
    if not may_dismiss(person, anomaly):
        raise NotAllowedError(
            "Dismissing it takes a release manager of the team, or of all teams for what is of all"
            " services; of a sender a platform engineer. Nothing was changed."
        )
    words = check_words(reason, "Say why it needs nothing, in words", LONGEST_REASON)
    if anomaly.dismissed_at is not None:
        raise ConflictError("It is dismissed already. Nothing was changed.")
    anomaly.dismissed_at, anomaly.dismissed_by, anomaly.dismissed_reason = at, person, words
    anomaly.save(update_fields=["dismissed_at", "dismissed_by", "dismissed_reason"])
    details = {"measure": anomaly.measure, "rule": anomaly.rule, "sentence": anomaly.sentence}
    record("anomaly.dismiss", anomaly, actor=person, at=at, reason=words, details=details)
    if anomaly.service_id:
        wake_service(anomaly.service_id, at)
    return anomaly
