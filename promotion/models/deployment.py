"""Facts about what runs: deployments, the reports they are folded from, observations, verifications."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from .artifact import Artifact, Release, RunResult
from .catalog import Environment, Service
from .event import Event
from .promotion import Promotion


class Deployment(models.Model):
    """The fact that a digest started, finished or failed to run in an environment, however it got there.

    Folded from its reports by event time and rank of state; the reports are the record.
    """

    class Found(models.TextChoices):
        """How the digest was found."""

        STATED = "stated", "Stated by the sender"
        RESOLVED = "resolved", "Resolved from a tag, version or commit"
        INFERRED = "inferred", "Inferred"
        NONE = "none", "Not found"

    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=200)
    service = models.ForeignKey(Service, models.PROTECT, related_name="deployments")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="deployments")
    target = models.CharField(max_length=100, blank=True)
    digest = models.CharField(max_length=71, blank=True, db_index=True)
    artifact = models.ForeignKey(
        Artifact, models.PROTECT, null=True, blank=True, related_name="deployments"
    )
    release = models.ForeignKey(
        Release, models.PROTECT, null=True, blank=True, related_name="deployments"
    )
    commit = models.CharField(max_length=64, blank=True)
    version = models.CharField(max_length=200, blank=True)
    found = models.CharField(max_length=8, choices=Found.choices, default=Found.NONE)
    found_how = models.CharField(
        max_length=300, blank=True, help_text="the rung of the ladder, in words"
    )
    candidates: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, blank=True, help_text="digests, where several fit"
    )
    promotion = models.ForeignKey(
        Promotion, models.PROTECT, null=True, blank=True, related_name="deployments"
    )
    promotion_named = models.CharField(
        max_length=100, blank=True, help_text="as the event said, whether it matches or not"
    )
    result = models.CharField(max_length=12, choices=RunResult.choices)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True, db_index=True)
    mechanism = models.CharField(max_length=10, choices=Promotion.Mechanism.choices, blank=True)
    kind = models.CharField(max_length=10, choices=Promotion.Kind.choices, blank=True)
    is_planned = models.BooleanField(default=False)
    strategy = models.CharField(max_length=20, blank=True)
    actor = models.CharField(max_length=200, blank=True)
    run_id = models.CharField(max_length=200, blank=True)
    url = models.URLField(max_length=1000, blank=True)
    received_at = models.DateTimeField(
        db_index=True, help_text="of the report that gave its present state"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "external_id", "service", "environment", "target"],
                name="deployment_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["service", "environment", "-finished_at"], name="deployment_lane"),
            models.Index(fields=["environment", "-finished_at"], name="deployment_environment"),
        ]

    def __str__(self) -> str:
        return f"{self.service.slug} {self.version or self.digest[7:19]} in {self.environment.slug}"


class DeploymentReport(models.Model):
    """One thing an event said about a deployment; append-only."""

    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="reports")
    result = models.CharField(max_length=12, choices=RunResult.choices)
    digest = models.CharField(max_length=71, blank=True)
    occurred_at = models.DateTimeField(help_text="by the sender's clock")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    fact: "models.JSONField[Any, Any]" = models.JSONField(default=dict, help_text="the whole fact")
    received_at = models.DateTimeField()
    event = models.ForeignKey(Event, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["occurred_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["deployment", "result", "occurred_at", "digest"],
                name="deployment_report_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.result} of {self.deployment_id}"


class Observation(models.Model):
    """What was seen running in an environment at a time, independent of what was promoted."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="observations")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="observations")
    target = models.CharField(max_length=100, blank=True)
    digest = models.CharField(max_length=71)
    artifact = models.ForeignKey(
        Artifact, models.PROTECT, null=True, blank=True, related_name="observations"
    )
    seen_at = models.DateTimeField()
    received_at = models.DateTimeField()
    event = models.ForeignKey(Event, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["service", "environment", "target", "digest", "seen_at"],
                name="observation_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["service", "environment", "-seen_at"], name="observation_lane")
        ]

    def __str__(self) -> str:
        return f"{self.digest[:19]} seen in {self.environment_id}"


class Verification(models.Model):
    """A check of a release in an environment, passed or not."""

    release = models.ForeignKey(Release, models.PROTECT, related_name="verifications")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="verifications")
    promotion = models.ForeignKey(
        Promotion, models.PROTECT, null=True, blank=True, related_name="verifications"
    )
    reverification = models.ForeignKey(
        "Reverification",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="verifications",
        help_text="where what runs was verified again",
    )
    targets: "models.JSONField[Any, Any]" = models.JSONField(default=list, blank=True)
    has_passed = models.BooleanField()
    message = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["release", "environment", "-at"], name="verification_latest")
        ]

    def __str__(self) -> str:
        return f"{self.release_id} in {self.environment_id}: {'passed' if self.has_passed else 'failed'}"


class CorrectionQuerySet(models.QuerySet["Correction"]):
    """Reads of corrections."""

    def of_outer(self, subject: str) -> "CorrectionQuerySet":
        """Within an outer query of that kind of fact: whether the row is declared wrong."""
        return self.filter(subject=subject, subject_id=models.OuterRef("pk"))


class Correction(models.Model):
    """A fact declared wrong, by whom and why; the fact stays, and as of an earlier time it still stands."""

    class Subject(models.TextChoices):
        """What kind of fact."""

        DEPLOYMENT = "deployment", "Deployment"
        OBSERVATION = "observation", "Observation"
        INCIDENT = "incident", "Incident"
        BUILD = "build", "Build"

    subject = models.CharField(max_length=12, choices=Subject.choices)
    subject_id = models.BigIntegerField()
    why = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "subject_id"], name="correction_once")
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.subject_id} voided"
