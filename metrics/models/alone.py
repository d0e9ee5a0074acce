"""What members of a team say alone, before they see what the others say."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from .assessment import Assessment


class OwnAnswer(models.Model):
    """What one member says of one statement; nobody else sees it until they handed in their own."""

    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="own_answers")
    statement_id = models.CharField(max_length=100)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    value = models.CharField(max_length=12, help_text="a value of metrics.maturity.values.Answer")
    comment = models.TextField(blank=True, max_length=2000)
    answered_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["assessment", "statement_id", "person"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["assessment", "statement_id", "person"], name="own_answer_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.statement_id}: {self.value}"


class HandIn(models.Model):
    """A member has handed in their own answers; they do not change any more."""

    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="hand_ins")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["assessment", "person"], name="hand_in_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} handed in for {self.assessment}"
