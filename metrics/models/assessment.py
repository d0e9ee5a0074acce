"""A team's answers to a standard in a quarter."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from promotion.models import Team


class Assessment(models.Model):
    """Draft → in review → agreed (frozen) → superseded by the next agreed one."""

    class State(models.TextChoices):
        """How far it is."""

        DRAFT = "draft", "Draft"
        IN_REVIEW = "in review", "In review"
        AGREED = "agreed", "Agreed"
        SUPERSEDED = "superseded", "Superseded"

    team = models.ForeignKey(Team, models.PROTECT, related_name="assessments")
    model_id = models.CharField(max_length=100)
    model_version = models.CharField(max_length=20)
    cycle = models.CharField(max_length=7, help_text="the quarter, e.g. 2026-q4")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True, blank=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    agreed_at = models.DateTimeField(null=True, blank=True)
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    result: "models.JSONField[Any, Any]" = models.JSONField(
        null=True, blank=True, help_text="the levels and values as agreed; never computed again"
    )
    alone_at = models.DateTimeField(
        null=True, blank=True, help_text="from when each member answers alone; empty: together"
    )
    facilitator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    discussed_at = models.DateTimeField(
        null=True, blank=True, help_text="from when everybody sees what each said alone"
    )

    class Meta:
        ordering: ClassVar = ["-cycle", "team"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "model_id", "cycle"], name="assessment_once_a_cycle"
            )
        ]

    def __str__(self) -> str:
        return f"Assessment of {self.team.name}, {self.title}"

    @property
    def title(self) -> str:
        """The quarter as one reads it: Q4 2026."""
        year, _, quarter = self.cycle.partition("-")
        return f"{quarter.upper()} {year}"

    @property
    def is_draft(self) -> bool:
        """Answers may still change."""
        return self.state == self.State.DRAFT

    @property
    def is_answered_alone(self) -> bool:
        """Each member answers alone now; the discussion is not open yet."""
        return self.is_draft and self.alone_at is not None and self.discussed_at is None

    @property
    def is_frozen(self) -> bool:
        """Agreed, now or once: its result stands as it was."""
        return self.state in (self.State.AGREED, self.State.SUPERSEDED)


class Answer(models.Model):
    """What the team says of one statement, and what carries it."""

    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="answers")
    statement_id = models.CharField(max_length=100)
    value = models.CharField(max_length=12, help_text="a value of metrics.maturity.values.Answer")
    comment = models.TextField(blank=True, max_length=2000)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()
    is_carried = models.BooleanField(
        default=False, help_text="taken over from the last agreed assessment, not answered anew"
    )
    inherited_from = models.ForeignKey(
        Team,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="the team whose agreed answer is taken, up to date until this one is frozen",
    )

    not_applicable_reason = models.CharField(max_length=500, blank=True)
    not_applicable_agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    not_applicable_agreed_at = models.DateTimeField(null=True, blank=True)
    not_applicable_until = models.DateTimeField(null=True, blank=True)

    evidence_url = models.URLField(max_length=1000, blank=True)
    evidence_file = models.ForeignKey(
        "metrics.EvidenceFile", models.PROTECT, null=True, blank=True, related_name="answers"
    )
    evidence_title = models.CharField(max_length=200, blank=True)
    evidence_owner = models.CharField(max_length=100, blank=True)
    evidence_dated = models.DateField(null=True, blank=True, help_text="of when it is")
    evidence_review_on = models.DateField(
        null=True, blank=True, help_text="from this day it has to be looked at anew"
    )
    evidence_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    evidence_accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    evidence_accepted_at = models.DateTimeField(null=True, blank=True)
    evidence_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["assessment", "statement_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["assessment", "statement_id"], name="answer_once")
        ]

    def __str__(self) -> str:
        return f"{self.statement_id}: {self.value}"

    @property
    def has_evidence(self) -> bool:
        """A link or a file is given."""
        return bool(self.evidence_url) or self.evidence_file_id is not None

    def has_accepted_evidence(self, at: datetime) -> bool:
        """Somebody else accepted the evidence, and it has not run out."""
        return (
            self.evidence_accepted_at is not None
            and self.evidence_accepted_by_id != self.evidence_by_id
            and (self.evidence_expires_at is None or at < self.evidence_expires_at)
        )

    def is_agreed_not_applicable(self, at: datetime) -> bool:
        """Somebody else agreed that the statement does not apply, and that has not run out."""
        return (
            self.not_applicable_agreed_at is not None
            and self.not_applicable_agreed_by_id != self.answered_by_id
            and self.not_applicable_until is not None
            and at < self.not_applicable_until
        )
