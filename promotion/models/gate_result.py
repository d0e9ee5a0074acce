"""What a gate last said of a promotion."""

from typing import Any, ClassVar

from django.db import models

from .promotion import Promotion


class GateResult(models.Model):
    """What a gate last said of a promotion; after the start it stays as it was."""

    class Verdict(models.TextChoices):
        """The three answers."""

        OPEN = "open", "Open"
        WAITING = "waiting", "Waiting"
        CLOSED = "closed", "Closed"

    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="gate_results")
    position = models.PositiveSmallIntegerField()
    gate = models.CharField(max_length=40)
    is_required = models.BooleanField(default=True)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    reason = models.CharField(max_length=1000)
    evidence: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, blank=True, help_text="list of {label, url}"
    )
    earliest = models.DateTimeField(null=True, blank=True)
    look_again_at = models.DateTimeField(
        null=True, blank=True, help_text="when asking again may help"
    )
    people: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, blank=True, help_text="user names of those whose act would move it"
    )
    lacking: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, blank=True, help_text="approval: the names of the rules that are not met"
    )
    exception = models.ForeignKey(
        "promotion.GateException", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    break_glass = models.ForeignKey(
        "promotion.BreakGlass",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="the broken glass that passed it",
    )
    content_hash = models.CharField(max_length=71, help_text="of the promotion when measured")
    measured_at = models.DateTimeField()
    fresh_until = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["promotion", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["promotion", "position"], name="gate_result_once")
        ]

    def __str__(self) -> str:
        return f"{self.gate}: {self.verdict}"
