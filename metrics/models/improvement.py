"""What a team does so that a statement becomes truer."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from promotion.models import Team

from .assessment import Assessment


class Improvement(models.Model):
    """An action with an owner and a day: open → done or dropped, and open again."""

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", "Open"
        DONE = "done", "Done"
        DROPPED = "dropped", "Dropped"

    team = models.ForeignKey(Team, models.PROTECT, related_name="improvements")
    assessment = models.ForeignKey(
        Assessment, models.SET_NULL, null=True, blank=True, related_name="improvements"
    )
    model_id = models.CharField(max_length=100)
    statement_id = models.CharField(max_length=100)
    what = models.CharField(max_length=300)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="improvements")
    due_on = models.DateField()
    issue_url = models.URLField(max_length=1000, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["due_on", "pk"]

    def __str__(self) -> str:
        return f"Action of {self.team.name}: {self.what}"
