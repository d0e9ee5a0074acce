"""How much of a team's maturity a person may see: members all, others what the team shares."""

from collections.abc import Iterable, Mapping
from typing import Any

from metrics.models import Share, Sharing
from promotion.models import Role, Team, User

# Roles that make one an insider of a team, held there, above it, or for all teams.
INSIDERS = frozenset({Role.MEMBER, Role.RELEASE_MANAGER, Role.AUDITOR, Role.ADMINISTRATOR})


def find_share(team: Team, person: Any) -> Share:
    """What the person may see of the team; three queries. A machine's token is an outsider."""
    return find_shares([team], person)[team.pk]


def find_shares(teams: Iterable[Team], person: Any) -> dict[int, Share]:
    """What the person may see of each team, by its key; three queries however many there are."""
    chosen = {key: Share(value) for key, value in Sharing.objects.values_list("team", "shares")}
    parents = dict(Team.objects.values_list("pk", "parent"))
    held = _read_roles(person)
    return {
        team.pk: Share.EVIDENCE
        if _is_insider(team.pk, parents, held)
        else chosen.get(team.pk, Share.EVIDENCE)
        for team in teams
    }


def _read_roles(person: Any) -> list[tuple[int | None, str]]:
    if not isinstance(person, User) or not person.is_active:
        return []
    return list(person.memberships.values_list("team", "role"))


def _is_insider(
    team: int, parents: Mapping[int, int | None], held: list[tuple[int | None, str]]
) -> bool:
    """Any role in the team or above it, or one of the roles that see every team."""
    line, key = set[int](), parents.get(team)
    line.add(team)
    while key is not None and key not in line:
        line.add(key)
        key = parents.get(key)
    return any(key in line or (key is None and role in INSIDERS) for key, role in held)


def tell_refusal(team: Team, wanted: Share) -> str:
    """Why an outsider does not see something, and whom to ask."""
    what = "its answers" if wanted is Share.ANSWERS else "its evidence"
    return (
        f"{team.name} does not share {what} outside the team."
        " Ask a member or release manager of the team, who may share more on its maturity page."
    )
