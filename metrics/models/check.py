"""What the checks found, the levels that followed, and what people dispute of it."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from promotion.models import Team

from .assessment import Assessment


class CheckResult(models.Model):
    """What one check found of a team on a day; found anew on the same day, the later stands."""

    class Verdict(models.TextChoices):
        """A value of the statement's scale, or why there is none."""

        NOT = "N", "Not"
        PARTLY = "P", "Partly"
        LARGELY = "L", "Largely"
        FULLY = "F", "Fully"
        STILL_TRUE = "true", "still true"
        SOMETIMES = "sometimes", "sometimes"
        NO_LONGER = "no", "no longer"
        INSUFFICIENT = "insufficient", "insufficient data"
        NOT_MEASURABLE = "unmeasurable", "not measurable"

    team = models.ForeignKey(Team, models.CASCADE, related_name="check_results")
    model_id = models.CharField(max_length=100)
    model_version = models.CharField(max_length=20)
    statement_id = models.CharField(max_length=100)
    day = models.DateField(help_text="in the reporting zone")
    as_of = models.DateTimeField()
    window_days = models.PositiveSmallIntegerField()
    window_from = models.DateTimeField()
    window_to = models.DateTimeField()
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    value = models.FloatField(null=True, blank=True, help_text="per cent, a count, or 1 and 0")
    numerator = models.FloatField(null=True, blank=True)
    denominator = models.PositiveIntegerField(default=0)
    n = models.PositiveIntegerField(default=0)
    unit = models.CharField(max_length=10, help_text="percent, count or yes_or_no")
    reason = models.CharField(
        max_length=500, blank=True, help_text="why there is no verdict, in a sentence"
    )
    thresholds: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    coverage: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, help_text="{unit, have, of}: how much of the team's work it speaks of"
    )
    figures: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, help_text="each figure: name, value, numerator, denominator"
    )
    counterexamples: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, help_text="list of {key, what, page, names, excused}"
    )
    counterexample_count = models.PositiveIntegerField(
        default=0, help_text="those that count; more than the list where it is cut"
    )

    class Meta:
        ordering: ClassVar = ["team", "day", "statement_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "model_id", "model_version", "statement_id", "day"],
                name="check_result_once_a_day",
            )
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} of {self.team} on {self.day}: {self.verdict}"


class TeamLevel(models.Model):
    """Where a team stood on a day: its agreed answers and that day's checks."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="levels")
    model_id = models.CharField(max_length=100)
    model_version = models.CharField(max_length=20)
    day = models.DateField(help_text="in the reporting zone")
    as_of = models.DateTimeField()
    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="levels")
    claimed = models.PositiveSmallIntegerField()
    verified = models.PositiveSmallIntegerField()
    result: "models.JSONField[Any, Any]" = models.JSONField(
        help_text="the whole result, as an assessment keeps it"
    )
    changes: "models.JSONField[Any, Any]" = models.JSONField(
        default=list,
        help_text="list of {category, before, after, sentence} since the day before it",
    )

    class Meta:
        ordering: ClassVar = ["team", "-day"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "model_id", "day"], name="team_level_once_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.team} on {self.day}: {self.verified}"


class CheckDispute(models.Model):
    """Somebody says that a check, or one counterexample, is wrong or excused; somebody else decides."""

    class State(models.TextChoices):
        """How far it is."""

        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"

    team = models.ForeignKey(Team, models.CASCADE, related_name="disputes")
    model_id = models.CharField(max_length=100)
    statement_id = models.CharField(max_length=100)
    counterexample = models.CharField(
        max_length=300, blank=True, help_text="its key; empty = the check itself"
    )
    what = models.CharField(max_length=500, help_text="what is disputed, in words")
    reason = models.TextField(max_length=2000)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(blank=True, max_length=2000)

    class Meta:
        ordering: ClassVar = ["-opened_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "model_id", "statement_id", "counterexample"],
                condition=models.Q(state="open"),
                name="one_open_dispute",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by=None) | ~models.Q(decided_by=models.F("opened_by")),
                name="dispute_decided_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"Dispute {self.pk} of {self.statement_id}"
