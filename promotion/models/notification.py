"""What people are told: in the app, by mail, through channels; and the outbox it is sent from."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from .catalog import Environment, Service, Team
from .freeze import Freeze
from .promotion import Promotion
from .secret import SecretField


class NoticeKind(models.TextChoices):
    """What a message is about; people and channels choose by it."""

    WAITING = "waiting", "Waiting for you"
    DECIDED = "decided", "Decided"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    STUCK = "stuck", "Stuck"
    FREEZE_BEGINS = "freeze begins", "Freeze begins"
    FREEZE_ENDS = "freeze ends", "Freeze ends"
    EMERGENCY = "emergency", "Emergency"
    ANOMALY = "anomaly", "Unusual"
    ASSESSMENT = "assessment", "Assessment"
    SUMMARY = "summary", "Summary"


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Reads of notifications."""

    def shown(self) -> "NotificationQuerySet":
        """Those the person wants in the app."""
        return self.filter(in_app=True)

    def unread(self) -> "NotificationQuerySet":
        """Shown and not read; answered from an index."""
        return self.shown().filter(read_at=None)


class Notification(models.Model):
    """One person is told one thing once: the key says which."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications"
    )
    kind = models.CharField(max_length=20, choices=NoticeKind.choices)
    key = models.CharField(max_length=200, help_text="the same for the same thing, however often")
    sentence = models.CharField(max_length=500)
    link = models.CharField(max_length=500, help_text="path of the page that decides")
    promotion = models.ForeignKey(
        Promotion, models.CASCADE, null=True, blank=True, related_name="notifications"
    )
    freeze = models.ForeignKey(
        Freeze, models.CASCADE, null=True, blank=True, related_name="notifications"
    )
    service = models.ForeignKey(
        Service, models.CASCADE, null=True, blank=True, related_name="notifications"
    )
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    in_app = models.BooleanField(default=True, help_text="the person's choice when it was written")

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "key"], name="notified_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["person", "-created_at"], name="notification_list"),
            models.Index(
                fields=["person"],
                name="notification_unread",
                condition=models.Q(read_at=None, in_app=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.sentence}"


class NotificationChoice(models.Model):
    """How one person wants to hear of one kind; without a row the usual holds."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_choices"
    )
    kind = models.CharField(max_length=20, choices=NoticeKind.choices)
    in_app = models.BooleanField()
    by_mail = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "kind"], name="notification_choice_once")
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.kind}"


class NotificationChannel(models.Model):
    """A chat's incoming webhook, or a signed webhook, that hears of kinds for a team or for all."""

    class Form(models.TextChoices):
        """What the far side understands."""

        SLACK = "slack", "Slack-compatible chat"
        WEBHOOK = "webhook", "Signed webhook"

    name = models.CharField(max_length=100, unique=True)
    form = models.CharField(max_length=10, choices=Form.choices)
    address = SecretField(help_text="URL; that of a chat is its secret, so it is stored encrypted")
    secret = SecretField(blank=True, default="", help_text="signs, as whsec_ and base64")
    previous_secret = SecretField(blank=True, default="")
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    team = models.ForeignKey(
        Team,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="notification_channels",
        help_text="whose services it hears of; none = the whole organisation",
    )
    kinds: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    services: "models.ManyToManyField[Any, Any]" = models.ManyToManyField(
        Service, blank=True, related_name="+", help_text="none = every service"
    )
    environments: "models.ManyToManyField[Any, Any]" = models.ManyToManyField(
        Environment, blank=True, related_name="+", help_text="none = every environment"
    )
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def secrets_at(self, at: datetime) -> tuple[str, ...]:
        """What a message is signed with: the secret, and the one before during its overlap."""
        if self.previous_secret and self.previous_secret_until and at < self.previous_secret_until:
            return (self.secret, self.previous_secret)
        return (self.secret,)


class DeliveryQuerySet(models.QuerySet["NotificationDelivery"]):
    """Reads of the outbox."""

    def left(self) -> "DeliveryQuerySet":
        """Neither sent nor given up."""
        return self.filter(done_at=None, given_up_at=None)

    def due(self, at: datetime) -> "DeliveryQuerySet":
        """To be tried by that time; answered from an index."""
        return self.left().filter(next_try_at__lte=at)


class NotificationDelivery(models.Model):
    """One message on its way out: a mail to a person, or a call of a channel."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )
    channel = models.ForeignKey(
        NotificationChannel, models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
    kind = models.CharField(max_length=20, choices=NoticeKind.choices)
    key = models.CharField(max_length=200)
    sentence = models.CharField(max_length=500)
    link = models.CharField(max_length=500)
    facts: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, blank=True, help_text="what a signed webhook says besides the sentence"
    )
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    last_error = models.CharField(max_length=500, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "key"],
                name="mailed_once",
                condition=models.Q(person__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["channel", "key"],
                name="channel_told_once",
                condition=models.Q(channel__isnull=False),
            ),
            models.CheckConstraint(
                condition=models.Q(person__isnull=True) ^ models.Q(channel__isnull=True),
                name="delivery_one_way",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_try_at"],
                name="delivery_due",
                condition=models.Q(done_at=None, given_up_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"N-{self.pk}"

    @property
    def message_id(self) -> str:
        """The same for every try, so that the far side knows a repeat."""
        return f"throughline-n{self.pk}"
