"""What a person wrote at a date, so that a change in a chart has its reason beside it."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from promotion.models import Service, Team


class Annotation(models.Model):
    """A few words at a day, for everybody, a team with its sub-teams, or a service.

    Edited and taken away on record: the audit log holds what it said before.
    """

    day = models.DateField(help_text="in the reporting zone")
    text = models.CharField(max_length=120)
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="+")
    service = models.ForeignKey(Service, models.CASCADE, null=True, blank=True, related_name="+")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["day", "pk"]
        indexes: ClassVar = [models.Index(fields=["day"], name="annotation_day")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(team__isnull=True) | models.Q(service__isnull=True),
                name="annotation_one_scope",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.text}"
