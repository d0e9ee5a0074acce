"""Who did what, when, why, on what; append-only, sealed in a hash chain."""

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models

from promotion.exceptions import NotAllowedError


class AuditEntry(models.Model):
    """Written in the transaction of the act itself; never changed."""

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    actor_name = models.CharField(
        max_length=200, help_text="as it was; 'Throughline' for what it did by itself"
    )
    action = models.CharField(max_length=60, help_text="noun.verb, e.g. promotion.approve")
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=100)
    subject_label = models.CharField(max_length=300)
    reason = models.CharField(max_length=1000, blank=True)
    details: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    payload = models.TextField(help_text="canonical JSON of all the above: what is hashed")

    class Meta:
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id"], name="audit_subject")
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.subject_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only once."""
        if self.pk is not None:
            raise NotAllowedError("An audit entry is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never."""
        raise NotAllowedError("An audit entry is never deleted.")


class AuditSeal(models.Model):
    """An entry's place in the chain: each hash covers the one before it."""

    sequence = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(AuditEntry, models.PROTECT, related_name="seal")
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["sequence"]

    def __str__(self) -> str:
        return f"{self.sequence}: {self.hash[:12]}"
