"""What people say of links and returns that were inferred or stated; only ever added to."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from .deployment import Deployment
from .incident import Incident


class IncidentVerdict(models.Model):
    """A person's word on an incident; the newest counts, as of an earlier time the one before."""

    class Word(models.TextChoices):
        """What was said."""

        CONFIRMED = "confirmed", "It counts"
        DISPUTED = "disputed", "No deployment is to blame"
        LINKED = "linked", "It belongs to another deployment"
        WITHDRAWN = "withdrawn", "Nothing is said any more"

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="verdicts")
    word = models.CharField(max_length=10, choices=Word.choices)
    deployment = models.ForeignKey(
        Deployment, models.PROTECT, null=True, blank=True, related_name="+"
    )
    why = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(word="linked", deployment__isnull=False)
                | (~models.Q(word="linked") & models.Q(deployment__isnull=True)),
                name="linked_to_a_deployment",
            )
        ]

    def __str__(self) -> str:
        return f"incident {self.incident_id} {self.word}"


class RollbackVerdict(models.Model):
    """A person's word on a deployment that went back or fixed: was it because of a failure?"""

    class Word(models.TextChoices):
        """What was said."""

        CONFIRMED = "confirmed", "It was because of a failure"
        DISPUTED = "disputed", "It was planned"
        WITHDRAWN = "withdrawn", "Nothing is said any more"

    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="verdicts")
    word = models.CharField(max_length=10, choices=Word.choices)
    why = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"deployment {self.deployment_id} {self.word}"
