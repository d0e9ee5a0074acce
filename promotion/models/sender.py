"""Who may send us events."""

from datetime import datetime
from typing import ClassVar

from django.db import models

from .catalog import name_validator
from .secret import SecretField


class Sender(models.Model):
    """One tool that delivers to /hooks/<slug>, authenticated in its own scheme."""

    slug = models.CharField(max_length=100, unique=True, validators=[name_validator])
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=40, help_text="which source reads its deliveries")
    secret = SecretField(help_text="shared with the tool; stored encrypted")
    previous_secret = SecretField(blank=True, default="")
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    signed_by = models.CharField(
        max_length=300,
        blank=True,
        help_text="whose signature with the tool's own key is believed, and then nothing else",
    )
    least_severity = models.CharField(
        max_length=40,
        blank=True,
        help_text="incidents below it are only suspected until a person confirms them; none = all count",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    refused_count = models.PositiveIntegerField(default=0)
    refused_at = models.DateTimeField(null=True, blank=True)
    refused_reason = models.CharField(
        max_length=300, blank=True, help_text="why the last refused delivery was not taken in"
    )

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def secrets_at(self, at: datetime) -> tuple[str, ...]:
        """The secrets accepted at that time: the current one, and the one before during its overlap."""
        if self.previous_secret and self.previous_secret_until and at < self.previous_secret_until:
            return (self.secret, self.previous_secret)
        return (self.secret,)
