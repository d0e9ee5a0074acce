"""Fetching what happened before we were told: how far it has come."""

from typing import Any, ClassVar

from django.db import models

from .sender import Sender


class BackfillRun(models.Model):
    """One list or directory being taken in; its cursor lets a run that stopped go on."""

    class State(models.TextChoices):
        """How far it is."""

        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped"
        FINISHED = "finished", "Finished"

    sender = models.ForeignKey(Sender, models.PROTECT, related_name="backfills")
    connection = models.CharField(
        max_length=100, blank=True, help_text="name of the connection asked; none for files"
    )
    what = models.CharField(
        max_length=500, help_text="repository, project, job or directory that is listed"
    )
    since = models.DateTimeField(null=True, blank=True)
    cursor: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    listed = models.PositiveIntegerField(default=0)
    taken_in = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0, help_text="had been taken in before")
    unread = models.PositiveIntegerField(default=0, help_text="kept, and became no fact")
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    note = models.CharField(max_length=500, blank=True, help_text="why it stopped")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-started_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["sender", "connection", "what"],
                condition=~models.Q(state="finished"),
                name="one_unfinished_backfill",
            )
        ]

    def __str__(self) -> str:
        return f"{self.sender.kind} {self.what}: {self.state}"
