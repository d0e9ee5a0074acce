"""A stretch of time in which a required gate held a waiting promotion."""

from typing import ClassVar

from django.db import models

from .promotion import Promotion


class GateWait(models.Model):
    """One stretch, of one gate or of one approval rule.

    Without `until` it ended with the promotion's start, or, where it never started, with its end.
    """

    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="gate_waits")
    gate = models.CharField(max_length=40)
    rule = models.CharField(max_length=100, blank=True, help_text="the approval rule that lacked")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    was_closed = models.BooleanField(
        default=False, help_text="it was closed at least once, not only waiting"
    )
    was_passed = models.BooleanField(
        default=False, help_text="an exception or a broken glass ended it, not the gate"
    )
    reason = models.CharField(max_length=1000, help_text="what the gate said last")

    class Meta:
        ordering: ClassVar = ["promotion", "since", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["promotion", "gate", "rule"],
                condition=models.Q(until=None),
                name="one_wait_of_a_gate",
            )
        ]

    def __str__(self) -> str:
        return f"{self.promotion_id} waits for {self.rule or self.gate}"
