"""What holds promotions back, or lets one past: freezes, locks, holds, exceptions."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from .artifact import Release
from .catalog import Environment, Service, Team, Tier
from .promotion import Promotion


class FreezeQuerySet(models.QuerySet["Freeze"]):
    """Reads of freezes."""

    def not_over(self, at: datetime) -> "FreezeQuerySet":
        """In force now or later."""
        return self.filter(lifted_at=None).filter(models.Q(ends_at=None) | models.Q(ends_at__gt=at))

    def touching(self, service: Service, environment: Environment) -> "FreezeQuerySet":
        """Those whose scope contains the lane."""
        return self.filter(
            models.Q(tier="", environment=None, team=None, service=None)
            | models.Q(tier=environment.tier)
            | models.Q(environment=environment)
            | models.Q(team=service.team_id)
            | models.Q(service=service)
        )


class Freeze(models.Model):
    """A deny window made by a person; with no scope given it holds everything."""

    tier = models.CharField(max_length=20, choices=Tier.choices, blank=True)
    environment = models.ForeignKey(
        Environment, models.CASCADE, null=True, blank=True, related_name="freezes"
    )
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="freezes")
    service = models.ForeignKey(
        Service, models.CASCADE, null=True, blank=True, related_name="freezes"
    )
    reason = models.CharField(max_length=500)
    incident = models.ForeignKey(
        "promotion.Incident", models.SET_NULL, null=True, blank=True, related_name="freezes"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    begin_told_at = models.DateTimeField(null=True, blank=True)
    end_told_at = models.DateTimeField(null=True, blank=True)

    objects = FreezeQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Freeze of {self.scope}"

    @property
    def scope(self) -> str:
        """What it holds, in words."""
        return str(self.service or self.team or self.environment or self.tier or "everything")


class LockQuerySet(models.QuerySet["Lock"]):
    """Reads of locks."""

    def in_force(self, at: datetime) -> "LockQuerySet":
        """Neither released nor over."""
        return self.filter(released_at=None).filter(
            models.Q(ends_at=None) | models.Q(ends_at__gt=at)
        )

    def touching(self, service: Service, environment: Environment) -> "LockQuerySet":
        """Of the lane, or of every service in the environment."""
        return self.filter(environment=environment).filter(
            models.Q(service=None) | models.Q(service=service)
        )


class Lock(models.Model):
    """Nothing starts in the environment (for one service, or all) until it ends or a person releases it."""

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="locks")
    service = models.ForeignKey(
        Service, models.CASCADE, null=True, blank=True, related_name="locks"
    )
    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = LockQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Lock of {self.scope}"

    @property
    def scope(self) -> str:
        """What it holds, in words."""
        of = f" for {self.service.slug}" if self.service else ""
        return f"{self.environment.name}{of}"


class Hold(models.Model):
    """Automatic promotion stands still for a service and stage, because a person went another way."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="holds")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="holds")
    made_by = models.ForeignKey(Promotion, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_because = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["service", "environment"],
                condition=models.Q(ended_at=None),
                name="one_hold",
            )
        ]

    def __str__(self) -> str:
        return f"Hold of {self.service} in {self.environment}"


class PinQuerySet(models.QuerySet["Pin"]):
    """Reads of pins."""

    def in_force(self) -> "PinQuerySet":
        """Not taken off."""
        return self.filter(ended_at=None)


class Pin(models.Model):
    """A person keeps a release in an environment: no other goes there until the pin is taken off.

    Unlike a hold it is made by hand, and no promotion ends it. A rollback passes.
    """

    service = models.ForeignKey(Service, models.CASCADE, related_name="pins")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="pins")
    release = models.ForeignKey(Release, models.CASCADE, related_name="pins")
    reason = models.CharField(max_length=500)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = PinQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["service", "environment"],
                condition=models.Q(ended_at=None),
                name="one_pin",
            )
        ]

    def __str__(self) -> str:
        return f"Pin of {self.release} in {self.environment.name}"


class GateExceptionQuerySet(models.QuerySet["GateException"]):
    """Reads of exceptions."""

    def in_force(self, at: datetime) -> "GateExceptionQuerySet":
        """Granted by then, neither over nor revoked."""
        return self.filter(revoked_at=None, granted_at__lte=at, ends_at__gt=at)


class GateException(models.Model):
    """A granted deviation from one gate, with owner and end."""

    release = models.ForeignKey(Release, models.CASCADE, related_name="exceptions")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="exceptions")
    gate = models.CharField(max_length=40)
    reason = models.CharField(max_length=500)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = GateExceptionQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [("grant_exception", "Can let a release past a gate")]

    def __str__(self) -> str:
        return f"EX-{self.pk}"
