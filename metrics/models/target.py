"""What a measure is meant to reach."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from promotion.models import Service, Team


class MeasureTarget(models.Model):
    """Append-only: the newest row of a measure and scope counts; a row without a value ends it."""

    measure = models.CharField(max_length=40, help_text="name of the measure, e.g. first_pass")
    team = models.ForeignKey(
        Team, models.CASCADE, null=True, blank=True, related_name="+", help_text="none = everybody"
    )
    service = models.ForeignKey(Service, models.CASCADE, null=True, blank=True, related_name="+")
    value = models.FloatField(
        null=True, blank=True, help_text="a fraction, hours, or a rate; none = no target any more"
    )
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["set_at", "pk"]
        indexes: ClassVar = [models.Index(fields=["measure", "set_at"], name="target_measure")]

    def __str__(self) -> str:
        return f"Target of {self.measure} for {self.service or self.team or 'everybody'}"
