"""Emergencies: who went past the gates, why, and what somebody else said of it afterwards."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from .artifact import Artifact
from .promotion import Promotion


class BreakGlassQuerySet(models.QuerySet["BreakGlass"]):
    """Reads of broken glasses."""

    def unreviewed(self) -> "BreakGlassQuerySet":
        """Whose review nobody has done."""
        return self.filter(reviewed_at=None)

    def overdue(self, at: datetime) -> "BreakGlassQuerySet":
        """Unreviewed after the due date."""
        return self.unreviewed().filter(review_due_at__lt=at)


class BreakGlass(models.Model):
    """One person let one promotion, with exactly this content, past its gates; a review is owed for it."""

    class Outcome(models.TextChoices):
        """What the review found."""

        JUSTIFIED = "justified", "Justified"
        AVOIDABLE = "avoidable", "Justified, and avoidable next time"
        UNJUSTIFIED = "unjustified", "Not justified"

    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="broken_glasses")
    content_hash = models.CharField(max_length=71)
    reason = models.CharField(max_length=1000)
    incident_url = models.URLField(max_length=1000)
    broken_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    broken_at = models.DateTimeField()
    passed: "models.JSONField[Any, Any]" = models.JSONField(
        default=list,
        blank=True,
        help_text="what it passed when the promotion started: list of {gate, reason}",
    )
    used_at = models.DateTimeField(
        null=True, blank=True, help_text="when the promotion started past its gates by it"
    )
    review_due_at = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    review_words = models.TextField(blank=True)

    objects = BreakGlassQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [("break_glass", "Can break the glass in an emergency")]
        verbose_name_plural = "broken glasses"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["promotion", "content_hash"], name="glass_broken_once"),
            models.CheckConstraint(
                condition=models.Q(reviewed_by=None) | ~models.Q(reviewed_by=models.F("broken_by")),
                name="glass_reviewed_by_another",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["review_due_at"],
                name="glass_review_due",
                condition=models.Q(reviewed_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"BG-{self.pk}"


class CheckedDigest(models.Model):
    """The last time every byte of an artifact was read and hashed to its digest."""

    artifact = models.OneToOneField(Artifact, models.CASCADE, related_name="byte_check")
    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="+")
    checked_at = models.DateTimeField()
    reason = models.CharField(max_length=1000, help_text="what the gate said")

    def __str__(self) -> str:
        return f"Check of {self.artifact}"
