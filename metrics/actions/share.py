"""A team chooses how much of its maturity people outside of it see."""

from datetime import datetime

from django.db import transaction

from metrics.models import Share, Sharing
from promotion.actions.audit import record
from promotion.exceptions import NotAllowedError
from promotion.models import Team, User


@transaction.atomic
def change_sharing(team: Team, shares: Share, *, person: User, at: datetime) -> Sharing:
    """Keeps the choice; NotAllowedError for who is no member or release manager of the team."""
    if not person.may_ask(team):
        raise NotAllowedError(
            f"What {team.name} shares is chosen by a member or release manager of the team."
            " Nothing was changed."
        )
    before = Sharing.objects.select_for_update().filter(team=team).first()
    was = Share(before.shares) if before else Share.EVIDENCE
    sharing, _ = Sharing.objects.update_or_create(
        team=team, defaults={"shares": shares, "changed_by": person, "changed_at": at}
    )
    details = {"before": was.name.lower(), "after": shares.name.lower()}
    record("maturity.share", team, actor=person, at=at, details=details)
    return sharing
