"""What only a registry can tell: the digest behind a tag, the platforms within an index."""

from typing import ClassVar

from django.db import models

from .artifact import Artifact
from .catalog import Service
from .event import Event

# A tag has at most 128 characters and no colon, so what begins so is always a digest.
_DIGEST = "sha256:"


class UnresolvedReference(models.Model):
    """A tag nobody gave a digest for, or a digest whose platforms nobody told; the registry is asked.

    Kept after it is answered, as the record of what was said and when the registry was asked.
    """

    repository = models.CharField(max_length=300, help_text="path in the registry, without host")
    reference = models.CharField(max_length=200, help_text="a tag, or the digest of an artifact")
    service = models.ForeignKey(Service, models.PROTECT, null=True, blank=True, related_name="+")
    event = models.ForeignKey(Event, models.PROTECT, null=True, related_name="+")
    commit = models.CharField(max_length=64, blank=True, help_text="as the sender said")
    seen_at = models.DateTimeField(help_text="by the sender's clock")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_ask_at = models.DateTimeField(
        null=True, blank=True, help_text="none = answered, or no longer asked"
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    artifact = models.ForeignKey(
        Artifact, models.PROTECT, null=True, blank=True, related_name="resolved_references"
    )
    note = models.CharField(max_length=300, blank=True, help_text="why there is no answer yet")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repository", "reference"], name="unresolved_reference_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_ask_at"],
                name="unresolved_reference_due",
                condition=models.Q(next_ask_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        joint = "@" if self.is_digest else ":"
        return f"{self.repository}{joint}{self.reference}"

    @property
    def is_digest(self) -> bool:
        """True where the platforms of a known digest are asked for, false where a tag's digest is."""
        return self.reference.startswith(_DIGEST)
