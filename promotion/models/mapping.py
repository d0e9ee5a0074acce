"""Which service and environment events speak of, where their own words do not tell."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from .catalog import Environment, Service
from .sender import Sender


class MappingQuerySet(models.QuerySet["Mapping"]):
    """Reads of mapping rules."""

    def in_order(self) -> "MappingQuerySet":
        """As they are asked: by priority, the older first among equals."""
        return self.order_by("priority", "pk")

    def asked_of(self, sender: int | None) -> "MappingQuerySet":
        """The active ones that speak of this sender or of all."""
        return self.filter(models.Q(sender=None) | models.Q(sender=sender), is_active=True)


class Mapping(models.Model):
    """A rule from what an event says to a place of the catalog; the first that matches decides."""

    priority = models.PositiveSmallIntegerField(
        default=100, help_text="the smallest is asked first"
    )
    sender = models.ForeignKey(
        Sender,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="mappings",
        help_text="none = every sender",
    )
    repository_pattern = models.CharField(max_length=300, blank=True)
    job_pattern = models.CharField(max_length=300, blank=True)
    image_pattern = models.CharField(max_length=300, blank=True)
    environment_pattern = models.CharField(max_length=300, blank=True)
    service = models.ForeignKey(
        Service, models.CASCADE, null=True, blank=True, related_name="mappings"
    )
    environment = models.ForeignKey(
        Environment, models.CASCADE, null=True, blank=True, related_name="mappings"
    )
    is_deployment = models.BooleanField(
        default=False, help_text="a build that matches is a deployment to the environment as well"
    )
    is_ignored = models.BooleanField(default=False, help_text="what matches becomes nothing")
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()

    objects = MappingQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="mapping_leads_somewhere",
                condition=models.Q(
                    is_ignored=True, service=None, environment=None, is_deployment=False
                )
                | models.Q(is_ignored=False)
                & (models.Q(service__isnull=False) | models.Q(environment__isnull=False)),
            ),
            models.CheckConstraint(
                name="mapping_deploys_to_an_environment",
                condition=models.Q(is_deployment=False) | models.Q(environment__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"rule {self.pk}"
