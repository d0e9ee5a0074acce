"""How much of its maturity a team shows to people outside of it."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from promotion.models import Team


class Share(models.IntegerChoices):
    """What people outside the team see; each holds what the one before holds."""

    LEVELS = 1, "Levels only"
    ANSWERS = 2, "Levels and answers"
    EVIDENCE = 3, "Levels, answers and evidence"


class Sharing(models.Model):
    """A team's choice; a team without a row shares everything, as nothing was held back before."""

    team = models.OneToOneField(Team, models.CASCADE, related_name="maturity_sharing")
    shares = models.PositiveSmallIntegerField(choices=Share.choices, default=Share.EVIDENCE)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    changed_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["team"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(shares__in=Share.values), name="sharing_is_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.team}: {self.get_shares_display()}"
