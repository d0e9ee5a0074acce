"""One thing done during a promotion."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from .promotion import Promotion


class StepRunQuerySet(models.QuerySet["StepRun"]):
    """Reads of step runs."""

    def in_order(self) -> "StepRunQuerySet":
        """As they are executed, attempts of one step in turn."""
        return self.order_by("position", "attempt")


class StepRun(models.Model):
    """One attempt at a step: claimed with a lease and a fencing token."""

    class State(models.TextChoices):
        """How far it is."""

        PENDING = "pending", "Not started"
        RUNNING = "running", "Running"
        WAITING = "waiting", "Waiting"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        ERRORED = "errored", "Errored"
        UNKNOWN = "unknown", "Outcome unknown"
        CANCELLED = "cancelled", "Cancelled"

    UNFINISHED: ClassVar = (State.PENDING, State.RUNNING, State.WAITING, State.UNKNOWN)

    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="step_runs")
    position = models.PositiveSmallIntegerField(help_text="over all waves")
    wave = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=40)
    targets: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    inputs: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, help_text="settings with all names filled in; no secrets"
    )
    timeout_seconds = models.PositiveIntegerField(null=True, blank=True)
    retries = models.PositiveSmallIntegerField(default=3)
    attempt = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    effect_key = models.CharField(
        max_length=100, help_text="the far side can refuse a repeat by it"
    )
    token = models.PositiveIntegerField(default=0, help_text="fencing: goes up with each claim")
    takeovers = models.PositiveSmallIntegerField(
        default=0, help_text="how often in a row its worker ended before it said what came of it"
    )
    lease_until = models.DateTimeField(null=True, blank=True)
    look_again_at = models.DateTimeField(null=True, blank=True)
    begun_at = models.DateTimeField(
        null=True, blank=True, help_text="when the first attempt of this step began"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    progress = models.FloatField(
        null=True, blank=True, help_text="0 to 1, measured; none where it cannot be"
    )
    message = models.CharField(max_length=1000, blank=True)
    output: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    was_repeated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="the person who had it repeated",
    )
    gone_on_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="the person who let a pause go on",
    )

    objects = StepRunQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["promotion", "position", "attempt"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["promotion", "position", "attempt"], name="step_attempt_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.promotion_id}, attempt {self.attempt}"

    @property
    def is_finished(self) -> bool:
        """Nothing more comes of this attempt."""
        return self.state not in self.UNFINISHED

    @property
    def is_unheld(self) -> bool:
        """Unfinished and in no worker's hands: a stop takes effect at once."""
        return self.state in (self.State.PENDING, self.State.WAITING, self.State.UNKNOWN)

    def make_next_attempt(self, **changes: Any) -> "StepRun":
        """One more try at the same effect, under the same key."""
        return StepRun.objects.create(
            promotion_id=self.promotion_id,
            position=self.position,
            wave=self.wave,
            kind=self.kind,
            targets=self.targets,
            inputs=self.inputs,
            timeout_seconds=self.timeout_seconds,
            retries=self.retries,
            attempt=self.attempt + 1,
            effect_key=self.effect_key,
            **changes,
        )

    def is_claimable(self, at: datetime) -> bool:
        """Nobody holds it, and its time has come."""
        if self.state == self.State.PENDING or self.state == self.State.WAITING:
            return self.look_again_at is None or self.look_again_at <= at
        return (
            self.state == self.State.RUNNING
            and self.lease_until is not None
            and self.lease_until <= at
        )
