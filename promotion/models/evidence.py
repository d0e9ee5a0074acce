"""Statements about a digest."""

from typing import Any, ClassVar

from django.db import models

from .artifact import Artifact
from .event import Event


class Evidence(models.Model):
    """A signature, provenance, SBOM, scan or test result that speaks of one digest."""

    class Result(models.TextChoices):
        """What the statement says; empty where it gives no verdict."""

        PASSED = "passed", "Passed"
        FAILED = "failed", "Failed"

    artifact = models.ForeignKey(
        Artifact, models.PROTECT, null=True, blank=True, related_name="evidence"
    )
    digest = models.CharField(max_length=71, db_index=True, blank=True)
    commit = models.CharField(max_length=64, blank=True, db_index=True)
    type = models.CharField(
        max_length=40, help_text="signature, provenance, sbom, scan, test, quality_gate, checksum"
    )
    title = models.CharField(max_length=300, blank=True)
    result = models.CharField(max_length=8, choices=Result.choices, blank=True)
    is_verified = models.BooleanField(default=False, help_text="we checked it ourselves")
    details: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    external_id = models.CharField(max_length=200, blank=True)
    url = models.URLField(max_length=1000, blank=True)
    issued_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    event = models.ForeignKey(Event, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name_plural = "evidence"
        indexes: ClassVar = [models.Index(fields=["digest", "type"], name="evidence_digest_type")]

    def __str__(self) -> str:
        return f"{self.type} of {self.digest[:19]}"
