"""Something went wrong in an environment."""

from typing import ClassVar

from django.db import models

from .catalog import Environment, Service
from .deployment import Deployment
from .event import Event


class Incident(models.Model):
    """Opened and resolved as its sender said; linked to a deployment explicitly, by inference or by a person."""

    class Confidence(models.TextChoices):
        """How sure the link to the deployment is."""

        EXPLICIT = "explicit", "Named by the sender"
        INFERRED = "inferred", "Inferred from time and place"
        CONFIRMED = "confirmed", "Confirmed by a person"
        DISPUTED = "disputed", "Disputed by a person"

    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=200)
    service = models.ForeignKey(
        Service, models.PROTECT, null=True, blank=True, related_name="incidents"
    )
    environment = models.ForeignKey(
        Environment, models.PROTECT, null=True, blank=True, related_name="incidents"
    )
    title = models.CharField(max_length=300, blank=True)
    severity = models.CharField(max_length=40, blank=True)
    url = models.URLField(max_length=1000, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    deployment = models.ForeignKey(
        Deployment, models.PROTECT, null=True, blank=True, related_name="incidents"
    )
    confidence = models.CharField(max_length=10, choices=Confidence.choices, blank=True)
    named: "models.CharField[str, str]" = models.CharField(
        max_length=200,
        blank=True,
        help_text="the deployment, promotion, digest or release the sender named",
    )
    received_at = models.DateTimeField()
    event = models.ForeignKey(Event, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "external_id"], name="incident_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["service", "environment", "opened_at"], name="incident_lane")
        ]

    def __str__(self) -> str:
        return self.title or f"Incident {self.external_id}"
