"""Rights of their own: given to a person or a group, held by nobody by a role."""

from collections.abc import Iterable

from django.contrib.auth.models import Permission
from django.db.models import Q

from promotion.models import Team, User


def has_right(person: User, codename: str) -> bool:
    """Was the right given to the person, or to a group of theirs? Being an administrator is not enough."""
    return (
        person.is_active
        and Permission.objects.filter(content_type__app_label="promotion", codename=codename)
        .filter(Q(user=person) | Q(group__user=person))
        .exists()
    )


def teams_where(person: User, *roles: str) -> list[int]:
    """The keys of the teams where the person holds one of the roles, also by a team above; two queries."""
    if not person.is_active:
        return []
    held = {row.team_id for row in person.memberships.all() if row.role in roles}
    parents = dict(Team.objects.values_list("pk", "parent"))
    if None in held:
        return list(parents)
    return [team for team in parents if held & set(_line(team, parents))]


def _line(team: int, parents: dict[int, int | None]) -> Iterable[int]:
    """The team and those above it."""
    place: int | None = team
    seen: set[int] = set()
    while place is not None and place not in seen:
        seen.add(place)
        place = parents.get(place)
    return seen
