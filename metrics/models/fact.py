"""Facts: what the measures say of each unit, kept once and for every period and filter.

They are the rows of the pure measures, written by `metrics.rollups`, and can be made again from
the record at any time. What changes by itself as time goes by is kept as the time at which it
does (`mature_at`), so that no row has to be rewritten for it.
"""

from typing import Any, ClassVar

from django.db import models

from promotion.models import Service


class Fact(models.Model):
    """What every unit has. `at` is the time it is counted by, `day` that in the reporting zone."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="+", db_index=False)
    environment = models.CharField(max_length=100)
    kind = models.CharField(max_length=20)
    unit = models.CharField(max_length=100)
    digest = models.CharField(max_length=100)
    at = models.DateTimeField()
    day = models.DateField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=20)
    reason = models.TextField()
    ids: "models.JSONField[Any, Any]" = models.JSONField(default=list)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.unit}: {self.verdict}"


class ExecutionFact(Fact):
    """One deployment execution, of production or of a later stage: measures 1 and 5.

    `by` says by whose automation (us, others). What is said of failing is of production only;
    `recovery_hours` is None while it is open.
    """

    by = models.CharField(max_length=10, blank=True)
    promotion = models.CharField(max_length=30, blank=True)
    is_production = models.BooleanField()
    mature_at = models.DateTimeField()
    has_failed = models.BooleanField()
    failure = models.TextField(blank=True)
    findings: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    recovery_hours = models.FloatField(null=True)
    is_contained = models.BooleanField()
    is_rework = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "unit"], name="execution_fact_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["environment", "at", "unit"], name="execution_fact_place"),
            models.Index(fields=["service", "at", "unit"], name="execution_fact_service"),
            models.Index(fields=["mature_at"], name="execution_fact_mature"),
            models.Index(
                fields=["environment", "at"],
                name="execution_fact_failed",
                condition=models.Q(has_failed=True),
            ),
        ]


class IntentFact(Fact):
    """One release asked for in an environment: measure 2. `mature_at` None: attempt 1 runs."""

    was_executed = models.BooleanField()
    is_good = models.BooleanField()
    is_eventual = models.BooleanField()
    attempts = models.PositiveIntegerField()
    mature_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "unit"], name="intent_fact_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["environment", "at", "unit"], name="intent_fact_place"),
            models.Index(fields=["service", "at", "unit"], name="intent_fact_service"),
            models.Index(fields=["mature_at"], name="intent_fact_mature"),
        ]


class SpanFact(Fact):
    """One release's way from its build to production: measure 3.

    `parts` are pairs of a name and hours. `level` picks a part of all rows for a chart: each
    level above 0 holds half of those of the level below, whatever the time.
    """

    hours = models.FloatField()
    until_all_hours = models.FloatField(null=True)
    parts: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    level = models.PositiveSmallIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "unit"], name="span_fact_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["environment", "at", "unit"], name="span_fact_place"),
            models.Index(fields=["service", "at", "unit"], name="span_fact_service"),
            models.Index(fields=["level", "at"], name="span_fact_level"),
        ]


class TraceFact(Fact):
    """One release in production with its links: measure 4.

    `times`: all times it is counted by, where they are several (an unknown digest seen again);
    `last_at` is the last of them.
    """

    missing: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    asked: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    was_complete = models.BooleanField(help_text="complete when it was deployed")
    times: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    last_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "unit"], name="trace_fact_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["environment", "at", "unit"], name="trace_fact_place"),
            models.Index(fields=["service", "at", "unit"], name="trace_fact_service"),
            models.Index(
                fields=["last_at"],
                name="trace_fact_again",
                condition=models.Q(last_at__gt=models.F("at")),
            ),
        ]


class CohortFact(models.Model):
    """One digest that was built, and when it came to production, if it did."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="+", db_index=False)
    unit = models.CharField(max_length=100, help_text="its digest")
    at = models.DateTimeField(help_text="when its earliest build ended")
    day = models.DateField()
    deployed_at = models.DateTimeField(null=True)
    is_superseded = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "unit"], name="cohort_fact_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["at"], name="cohort_fact_at"),
            models.Index(fields=["service", "at"], name="cohort_fact_service"),
        ]

    def __str__(self) -> str:
        return self.unit


class AsideFact(models.Model):
    """A fact no figure counts, and why. Without a service it belongs to none that is known.

    `cause` is restarts, dry_runs, quarantined, unmapped or backfilled, or negative: a span below
    zero, which only measure 3 sets aside.
    """

    service = models.ForeignKey(
        Service, models.CASCADE, null=True, related_name="+", db_index=False
    )
    cause = models.CharField(max_length=12)
    unit = models.CharField(max_length=100)
    environment = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=20, blank=True)
    at = models.DateTimeField()
    day = models.DateField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["cause", "at", "unit"], name="aside_fact_cause"),
            models.Index(fields=["service", "at"], name="aside_fact_service"),
        ]

    def __str__(self) -> str:
        return f"{self.unit}: {self.cause}"


class IncidentFact(models.Model):
    """A production incident that is no failure of a deployment: alone, suspected or disputed."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="+", db_index=False)
    environment = models.CharField(max_length=100)
    unit = models.CharField(max_length=100)
    outcome = models.CharField(max_length=10)
    at = models.DateTimeField(help_text="when it was opened")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["at"], name="incident_fact_at"),
            models.Index(fields=["service", "at"], name="incident_fact_service"),
        ]

    def __str__(self) -> str:
        return f"{self.unit}: {self.outcome}"


class TargetFact(models.Model):
    """A production target of a service, and when it was last observed."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    environment = models.CharField(max_length=100)
    unit = models.CharField(max_length=100, blank=True, help_text="the target's name")
    last_seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["service", "environment", "unit"], name="target_fact_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.environment}/{self.unit}"
