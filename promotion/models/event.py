"""One delivery exactly as it arrived, and what it became."""

from typing import Any, ClassVar

from django.db import models

from .access import Token
from .sender import Sender


class EventQuerySet(models.QuerySet["Event"]):
    """Reads of events."""

    def newest_first(self) -> "EventQuerySet":
        """In the order of arrival, last first; the key breaks ties."""
        return self.order_by("-received_at", "-pk")

    def unprocessed(self) -> "EventQuerySet":
        """Acknowledged but not yet read."""
        return self.filter(state=Event.State.RECEIVED)


class Event(models.Model):
    """Raw bytes, headers, sender, time received, outcome; unique per sender and delivery."""

    class State(models.TextChoices):
        """How far the event has come."""

        RECEIVED = "received", "Received"
        RECORDED = "recorded", "Became facts"
        NOTHING = "nothing", "Became nothing"
        UNMAPPED = "unmapped", "Matches no service or environment"
        IGNORED = "ignored", "Ignored by a rule"
        UNREADABLE = "unreadable", "Could not be read"
        ERRORED = "errored", "Processing broke"

    class Lacks(models.TextChoices):
        """What of the catalog a fact spoke of and was not found."""

        SERVICE = "service", "No service"
        ENVIRONMENT = "environment", "No environment"

    sender = models.ForeignKey(Sender, models.PROTECT, null=True, blank=True, related_name="events")
    token = models.ForeignKey(Token, models.PROTECT, null=True, blank=True, related_name="events")
    source = models.CharField(max_length=40, help_text="the source that reads it")
    delivery_id = models.CharField(
        max_length=200, help_text="the sender's id of the delivery, else the body's hash"
    )
    content_type = models.CharField(max_length=200, blank=True)
    headers: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    body = models.BinaryField()
    body_sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVED)
    summary = models.CharField(
        max_length=300, blank=True, help_text="one sentence: what it became, or why nothing"
    )
    outcome: "models.JSONField[Any, Any]" = models.JSONField(
        default=list,
        blank=True,
        help_text="per fact: {kind, label, became: created|updated|unchanged|nothing, object, pk, note}",
    )
    notes: "models.JSONField[Any, Any]" = models.JSONField(default=list, blank=True)
    lacks = models.CharField(
        max_length=11,
        choices=Lacks.choices,
        blank=True,
        help_text="what of the catalog was not found; empty = nothing is missing",
    )
    speaks_of = models.CharField(
        max_length=300,
        blank=True,
        help_text="the repository, name or environment that was not found",
    )
    processed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    is_backfilled = models.BooleanField(default=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sender", "delivery_id"], name="event_once_per_sender"),
            models.UniqueConstraint(
                fields=["token", "delivery_id"],
                condition=models.Q(sender=None),
                name="event_once_per_token",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "received_at"], name="event_state_received"),
            models.Index(fields=["sender", "-received_at"], name="event_sender_received"),
            models.Index(
                fields=["lacks", "speaks_of"],
                name="event_lacks",
                condition=~models.Q(lacks=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.delivery_id}"
