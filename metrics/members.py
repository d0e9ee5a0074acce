"""Who takes part in a team."""

from django.db.models import Q

from promotion.models import Role, Team, User

ROLES = (Role.MEMBER, Role.RELEASE_MANAGER)


def find_members(team: Team, *, of_all_teams: bool = False) -> list[User]:
    """Active members and release managers of the team and of those above it, by name.

    With `of_all_teams` also those who hold the role everywhere.
    """
    line: list[int] = []
    above: Team | None = team
    while above is not None:
        line.append(above.pk)
        above = above.parent
    reach = Q(memberships__team__in=line, memberships__role__in=ROLES)
    if of_all_teams:
        reach |= Q(memberships__team=None, memberships__role__in=ROLES)
    found = User.objects.filter(reach, is_active=True).distinct()
    return list(found.order_by("first_name", "username"))
