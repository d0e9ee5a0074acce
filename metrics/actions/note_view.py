"""Somebody looked at the measures; whether a team looks is one of the standard's checks."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from metrics.models import PageView
from promotion.models import Role, Team, User


@transaction.atomic
def note_view(page: str, *, person: User, at: datetime) -> int:
    """Keeps one view a day for each team the person is a member of; how many teams those are.

    Looking changes nothing for anybody, so it is no entry of the audit log.
    """
    roles = (Role.MEMBER, Role.RELEASE_MANAGER)
    teams = Team.objects.filter(memberships__user=person, memberships__role__in=roles).distinct()
    day = at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    views = [PageView(person=person, team=team, page=page, day=day, first_at=at) for team in teams]
    PageView.objects.bulk_create(views, ignore_conflicts=True)
    return len(views)
