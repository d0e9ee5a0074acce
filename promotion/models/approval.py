"""One person's recorded decision on exactly this content."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from .access import Token
from .promotion import Promotion


class Approval(models.Model):
    """Append-only: a later decision of the same person stands in place of the earlier."""

    class Decision(models.TextChoices):
        """What was decided."""

        APPROVE = "approve", "Approved"
        REJECT = "reject", "Rejected"
        WITHDRAW = "withdraw", "Withdrew"

    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="approvals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decision = models.CharField(max_length=8, choices=Decision.choices)
    comment = models.TextField(blank=True)
    content_hash = models.CharField(max_length=71)
    content: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, help_text="what was decided on"
    )
    groups: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, help_text="what the person belonged to when deciding"
    )
    eligible: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, help_text="per rule: who could decide then"
    )
    let_in_by: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, help_text="the rules that let the person in"
    )
    readiness: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict,
        blank=True,
        help_text="verdict, reason and every gate, as they were when it was decided",
    )
    token = models.ForeignKey(Token, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.person} {self.decision} {self.promotion_id}"
