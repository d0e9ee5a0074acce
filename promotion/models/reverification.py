"""Verifying again what runs: one try through a stage's verification steps, and when the next is due."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from .artifact import Release
from .catalog import Environment, Service
from .pipeline import PipelineVersion


class Reverification(models.Model):
    """One time that the release that runs somewhere is verified again; claimed with a fencing token."""

    class State(models.TextChoices):
        """How far it is, or what came of it."""

        RUNNING = "running", "Running"
        PASSED = "passed", "Passed"
        FAILED = "failed", "Failed"
        ERRORED = "errored", "Errored"
        CANCELLED = "cancelled", "Cancelled"

    class Origin(models.TextChoices):
        """Who asked."""

        PERSON = "person", "A person"
        SCHEDULE = "schedule", "The schedule"

    release = models.ForeignKey(Release, models.PROTECT, related_name="reverifications")
    service = models.ForeignKey(Service, models.PROTECT, related_name="reverifications")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="reverifications")
    pipeline_version = models.ForeignKey(PipelineVersion, models.PROTECT, related_name="+")
    stage = models.CharField(max_length=100)
    origin = models.CharField(max_length=8, choices=Origin.choices)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.RUNNING)
    message = models.CharField(max_length=1000, blank=True)
    steps: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, help_text="kind, targets and inputs of each, names filled in; no secrets"
    )
    position = models.PositiveSmallIntegerField(default=0, help_text="the step under way")
    begun_at = models.DateTimeField(
        null=True, blank=True, help_text="when the step under way began"
    )
    step_state: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, blank=True, help_text="what its last look left"
    )
    token = models.PositiveIntegerField(default=0, help_text="fencing: goes up with each claim")
    takeovers = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    next_look_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["service", "environment"],
                condition=models.Q(state="running"),
                name="one_running_reverification",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_look_at"],
                name="reverification_due",
                condition=models.Q(state="running"),
            ),
            models.Index(
                fields=["release", "environment", "-asked_at"], name="reverification_latest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.release} again in {self.environment.slug}"


class ReverificationSchedule(models.Model):
    """A stage asks that what runs there is verified again every so often."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="reverification_schedules")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    every = models.DurationField()
    next_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["service", "environment"], name="reverification_schedule_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.service.slug} in {self.environment.slug} every {self.every}"
