"""What does not behave as it usually does."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from promotion.models import Environment, Promotion, Sender, Service


class AnomalyQuerySet(models.QuerySet["Anomaly"]):
    """Reads of anomalies."""

    def open(self) -> "AnomalyQuerySet":
        """Still so, and not dismissed."""
        return self.filter(closed_at=None, dismissed_at=None)

    def dismissed(self) -> "AnomalyQuerySet":
        """A person said why it needs nothing."""
        return self.exclude(dismissed_at=None)

    def over(self) -> "AnomalyQuerySet":
        """No longer so, without anybody's word."""
        return self.filter(dismissed_at=None).exclude(closed_at=None)

    def for_display(self) -> "AnomalyQuerySet":
        """With all that a line about it names."""
        return self.select_related(
            "service__team", "environment", "sender", "promotion", "dismissed_by"
        )


class Anomaly(models.Model):
    """One finding of one rule; the key says which, so that computing again makes nothing twice.

    Without a service and sender it is of all services together. `details` hold what the rule
    compared: `value`, `baseline` (n, from, to, centre) and `limits` (low, high), in `unit`.
    """

    service = models.ForeignKey(Service, models.CASCADE, null=True, blank=True, related_name="+")
    environment = models.ForeignKey(
        Environment,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="none = all production environments",
    )
    sender = models.ForeignKey(Sender, models.CASCADE, null=True, blank=True, related_name="+")
    promotion = models.ForeignKey(
        Promotion, models.CASCADE, null=True, blank=True, related_name="+"
    )
    measure = models.CharField(max_length=40)
    rule = models.CharField(max_length=20)
    key = models.CharField(max_length=200, unique=True)
    sentence = models.CharField(max_length=500)
    is_worse = models.BooleanField(null=True, help_text="none = neither better nor worse")
    details: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    rows: "models.CharField[str, str]" = models.CharField(
        max_length=300, help_text="address of the rows behind it"
    )
    first_day = models.DateField(help_text="of the points it is about")
    last_day = models.DateField()
    definition = models.CharField(max_length=10)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, help_text="no longer so")
    dismissed_at = models.DateTimeField(null=True, blank=True)
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    dismissed_reason = models.CharField(max_length=500, blank=True)

    objects = AnomalyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-last_day", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["service", "measure", "last_day"], name="anomaly_place"),
            models.Index(
                fields=["service"],
                name="anomaly_open",
                condition=models.Q(closed_at=None, dismissed_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"A-{self.pk}"

    @property
    def state(self) -> str:
        """open, dismissed or over."""
        if self.dismissed_at:
            return "dismissed"
        return "over" if self.closed_at else "open"
