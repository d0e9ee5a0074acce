"""A file that carries an answer."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from promotion.models import Team


class EvidenceFile(models.Model):
    """The bytes as they were given, named by their hash; never changed."""

    team = models.ForeignKey(Team, models.PROTECT, related_name="evidence_files")
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    size = models.PositiveIntegerField()
    body = models.BinaryField()
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    given_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-given_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "sha256", "name"], name="evidence_file_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} (sha256:{self.sha256[:12]})"
