"""Facts of flow: of each promotion that ended, where its time went, what held it, its controls.

A promotion that ended never changes, so that these are written once.
"""

from typing import ClassVar

from django.db import models

from promotion.models import Promotion, Service


class FlowFact(models.Model):
    """One promotion that ended, counted by its end; times are seconds.

    The six parts add up to `lead`, the time from asking to the end.
    """

    promotion = models.OneToOneField(Promotion, models.CASCADE, related_name="+")
    unit = models.CharField(max_length=30, help_text="the promotion as other facts name it")
    service = models.ForeignKey(Service, models.CASCADE, related_name="+", db_index=False)
    environment = models.CharField(max_length=100)
    kind = models.CharField(max_length=10)
    strategy = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=12)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    at = models.DateTimeField(help_text="when it ended")
    day = models.DateField()
    people = models.FloatField()
    windows = models.FloatField()
    gates = models.FloatField()
    turn = models.FloatField()
    untold = models.FloatField()
    running = models.FloatField()
    lead = models.FloatField()
    manual_steps = models.PositiveIntegerField()
    hand_offs = models.PositiveIntegerField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["environment", "at"], name="flow_fact_place"),
            models.Index(fields=["service", "at"], name="flow_fact_service"),
        ]

    def __str__(self) -> str:
        return f"P-{self.promotion_id}: {self.state}"


class WaitFact(models.Model):
    """What one gate or approval rule cost one promotion; times are seconds."""

    flow = models.ForeignKey(FlowFact, models.CASCADE, related_name="waits")
    gate = models.CharField(max_length=40)
    rule = models.CharField(max_length=100, blank=True)
    held = models.FloatField()
    alone = models.FloatField(help_text="while nothing else held it")
    was_closed = models.BooleanField()
    was_passed = models.BooleanField()
    caught = models.CharField(
        max_length=12, blank=True, help_text="how it ended, where it ended while this held it"
    )

    def __str__(self) -> str:
        return f"{self.flow_id}: {self.rule or self.gate}"


class ControlFact(models.Model):
    """How one promotion that started stood to one required control of its stage."""

    flow = models.ForeignKey(FlowFact, models.CASCADE, related_name="controls")
    control = models.CharField(max_length=40)
    outcome = models.CharField(max_length=12, help_text="met, excepted, glass or missed")

    def __str__(self) -> str:
        return f"{self.flow_id}: {self.control} {self.outcome}"
