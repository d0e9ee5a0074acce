"""People, their roles and addresses, and the tokens that act for them."""

import hashlib
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models

if TYPE_CHECKING:
    from .catalog import Team


class Role(models.TextChoices):
    """What a person may do, for one team or for all."""

    VIEWER = "viewer", "Viewer"
    MEMBER = "member", "Member"
    RELEASE_MANAGER = "release manager", "Release manager"
    PLATFORM_ENGINEER = "platform engineer", "Platform engineer"
    AUDITOR = "auditor", "Auditor"
    ADMINISTRATOR = "administrator", "Administrator"


class User(AbstractUser):
    """A person who signs in; bots never do."""

    time_zone = models.CharField(
        max_length=64, blank=True, help_text="IANA name; empty = the organisation's"
    )

    @property
    def name(self) -> str:
        """The full name, or the user name where none is given."""
        return self.get_full_name() or self.get_username()

    def roles_in(self, team: "Team | None") -> frozenset[str]:
        """The roles held for all teams, in the team, or in a team above it."""
        if not self.is_active:
            return frozenset()
        line: list[int | None] = [None]
        while team is not None:
            line.append(team.pk)
            team = team.parent
        return frozenset(row.role for row in self.memberships.all() if row.team_id in line)

    def has_role(self, team: "Team | None", *roles: str) -> bool:
        """True where one of the roles is held there; an administrator holds none of them by being one."""
        return bool(self.roles_in(team) & set(roles))

    def may_ask(self, team: "Team") -> bool:
        """May ask for promotions of the team's services."""
        return self.has_role(team, Role.MEMBER, Role.RELEASE_MANAGER)

    def may_configure(self) -> bool:
        """May change pipelines, senders, connections."""
        return self.has_role(None, Role.PLATFORM_ENGINEER, Role.ADMINISTRATOR)

    @property
    def initials(self) -> str:
        """Two letters for the avatar."""
        words = self.name.split()
        return "".join(word[0] for word in [words[0], *words[1:][-1:]]).upper() if words else "?"


class RefusedSignIn(models.Model):
    """A name and password that did not belong together; many of them slow the next ones down."""

    username = models.CharField(max_length=150)
    address = models.CharField(max_length=45)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["username", "at"], name="refused_sign_in_name")]

    def __str__(self) -> str:
        return f"{self.username} from {self.address}"


class Membership(models.Model):
    """A role of a person in a team, or in all teams where no team is named."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    team = models.ForeignKey(
        "promotion.Team", models.CASCADE, null=True, blank=True, related_name="memberships"
    )
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "team", "role"], name="membership_once"),
            models.UniqueConstraint(
                fields=["user", "role"],
                condition=models.Q(team=None),
                name="membership_once_for_all",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.team or 'all teams'}"


class PersonAddress(models.Model):
    """A mail address or a login elsewhere by which commits and events name a person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="addresses")
    value = models.CharField(max_length=254, unique=True, help_text="lower case")

    def __str__(self) -> str:
        return self.value

    def save(self, *args: object, **kwargs: object) -> None:
        """Addresses are compared without regard to case, so they are kept in lower case."""
        self.value = self.value.strip().lower()
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class TokenQuerySet(models.QuerySet["Token"]):
    """Reads of tokens."""

    def usable(self, at: datetime) -> "TokenQuerySet":
        """Neither revoked nor expired at that time."""
        return self.filter(revoked_at=None).filter(
            models.Q(expires_at=None) | models.Q(expires_at__gt=at)
        )


class Token(models.Model):
    """A key of the API: shown once, stored hashed, scoped, expiring; acts for its person."""

    class Scope(models.TextChoices):
        """What a token may be used for."""

        READ = "read", "Read everything the person may read"
        EVENTS = "events", "Send events and observations"
        PROMOTE = "promote", "Ask for, cancel and retry promotions"
        APPROVE = "approve", "Approve and reject as the person"
        HOLD = "hold", "Freeze, lock and veto, and take each back, as the person"
        EXCEPT = "except", "Grant exceptions, break the glass and review as the person"

    name = models.CharField(max_length=100)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="tokens",
        help_text="whose acts these are; none for a machine that only sends events",
    )
    hashed = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=12, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_usable_at(self, at: datetime) -> bool:
        """Neither revoked nor expired at that time, and its person not sent away."""
        is_over = self.expires_at is not None and self.expires_at <= at
        is_orphaned = self.user is not None and not self.user.is_active
        return self.revoked_at is None and not is_over and not is_orphaned

    @staticmethod
    def hash(text: str) -> str:
        """A plain hash suffices: the text has 256 random bits."""
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def make(cls, **fields: object) -> tuple["Token", str]:
        """A new unsaved token and its text, which is never seen again."""
        text = "tl_" + secrets.token_urlsafe(32)
        return cls(hashed=cls.hash(text), prefix=text[:10], **fields), text
