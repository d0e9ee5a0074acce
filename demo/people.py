"""The people of Meridian Freight, and who of them can be tried."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from promotion.models import Membership, PersonAddress, Role, Team, User

PASSWORD = "throughline"  # noqa: S105 - shown on the sign-in page of the demonstration
ADDRESS_DOMAIN = "meridian.example"
EVERY_TEAM = ""


@dataclass(frozen=True, slots=True)
class Person:
    """One person: memberships are (role, team slug), the empty slug for all teams."""

    username: str
    name: str
    memberships: tuple[tuple[str, str], ...]
    groups: tuple[str, ...] = ()
    can_be_tried_as: str = ""

    @property
    def address(self) -> str:
        """The mail address, which commits name."""
        return f"{self.name.lower().replace(' ', '.')}@{ADDRESS_DOMAIN}"


MEMBER, MANAGER = Role.MEMBER.value, Role.RELEASE_MANAGER.value
PEOPLE = (
    Person(
        "ines",
        "Ines Halvorsen",
        ((MANAGER, EVERY_TEAM),),
        can_be_tried_as="release manager: promotions wait for her approval",
    ),
    Person(
        "tomasz",
        "Tomasz Wrona",
        ((MEMBER, "shipping-core"),),
        can_be_tried_as="developer in Shipping core: asks for promotions",
    ),
    Person("priya", "Priya Raman", ((MANAGER, "shipping-core"),), ("shipping-leads",)),
    Person("daniel", "Daniel Okafor", ((MANAGER, EVERY_TEAM),)),
    Person("mei", "Mei Tanaka", ((MANAGER, "customs"), (MANAGER, "pricing")), ("security",)),
    Person(
        "luca",
        "Luca Ferri",
        ((Role.PLATFORM_ENGINEER.value, EVERY_TEAM), (MEMBER, "shipping-core")),
        can_be_tried_as="platform engineer: pipelines, senders, connections",
    ),
    Person("hanna", "Hanna Lind", ((MEMBER, "shipping-core"), (MEMBER, "driver-app"))),
    Person("amara", "Amara Nwosu", ((MANAGER, "pricing"),)),
    Person("jonas", "Jonas Weber", ((MEMBER, "pricing"),)),
    Person("kenji", "Kenji Mori", ((MEMBER, "customs"),)),
    Person(
        "ruth",
        "Ruth Adler",
        ((MANAGER, "billing"), (MEMBER, "billing")),
        can_be_tried_as="team lead in Billing: the assessment, with honest gaps",
    ),
    Person("leila", "Leila Haddad", ((MEMBER, "driver-app"), (MEMBER, "billing"))),
    Person("oskar", "Oskar Nyman", ((MEMBER, "data-exchange"), (MANAGER, "data-exchange"))),
    Person(
        "carla",
        "Carla Mendes",
        ((Role.AUDITOR.value, EVERY_TEAM),),
        can_be_tried_as="auditor: reads everything, exports, checks the chain",
    ),
    Person(
        "henrik",
        "Henrik Dahl",
        ((Role.VIEWER.value, EVERY_TEAM),),
        can_be_tried_as="head of engineering: measures and maturity",
    ),
)
BY_USERNAME = {person.username: person for person in PEOPLE}


def logins() -> list[dict[str, str]]:
    """Who can be tried, for the sign-in page: username, name, password, role."""
    return [
        {
            "username": person.username,
            "name": person.name,
            "password": PASSWORD,
            "role": person.can_be_tried_as,
        }
        for person in PEOPLE
        if person.can_be_tried_as
    ]


def describe_logins() -> Iterator[str]:
    """One line for each: user name, password, what for."""
    width = max(len(one["username"]) for one in logins())
    for one in logins():
        yield f"{one['username']:<{width}}  {one['password']}  {one['name']}, {one['role']}"


def make_people(joined_at: datetime) -> None:
    """Makes everybody with roles, groups and addresses; who is there already stays as they are."""
    # Hashing is slow on purpose, and all of them have the same word.
    hashed = make_password(PASSWORD)
    teams: dict[str, Team | None] = {team.slug: team for team in Team.objects.all()}
    teams[EVERY_TEAM] = None
    for person in PEOPLE:
        first, _, last = person.name.partition(" ")
        user, is_new = User.objects.get_or_create(
            username=person.username,
            defaults={
                "first_name": first,
                "last_name": last,
                "email": person.address,
                "password": hashed,
                "date_joined": joined_at,
            },
        )
        if not is_new:
            continue
        for role, slug in person.memberships:
            Membership.objects.create(user=user, team=teams[slug], role=role)
        for address in (person.address, person.username):
            PersonAddress.objects.get_or_create(value=address, defaults={"user": user})
        for group in person.groups:
            user.groups.add(Group.objects.get_or_create(name=group)[0])
