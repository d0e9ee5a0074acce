"""Rollups: sums of facts by day, and how fresh facts and rollups are."""

from typing import Any, ClassVar

from django.db import models


class Rollup(models.Model):
    """A year of days of one measure, packed: of a service, a team with its sub-teams, or all.

    One row for each environment and kind, so that filters are a choice of rows. `data` is read
    and written by `metrics.rollups.packing` only. That of a service holds every duration, that
    of a team or of all counts durations by logarithmic bins, which add up.
    """

    class Scope(models.TextChoices):
        """Whose sum it is."""

        SERVICE = "service", "A service"
        TEAM = "team", "A team and its sub-teams"
        ALL = "all", "All services"

    scope = models.CharField(max_length=7, choices=Scope.choices)
    scope_key = models.BigIntegerField(help_text="of the service or team; 0 for all")
    measure = models.CharField(max_length=30)
    environment = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=20, blank=True)
    year = models.SmallIntegerField()
    first_day = models.DateField()
    last_day = models.DateField()
    data = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["scope", "scope_key", "measure", "environment", "kind", "year"],
                name="rollup_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.measure} of {self.scope} {self.scope_key}, {self.year}"


class ServiceState(models.Model):
    """How far the facts of a service go.

    They hold at any time from `latest_at` (the last thing known to them) up to, not including,
    `valid_until` (the first thing that is on record with a later time), while nothing is on
    record that they do not know (`StaleService`).
    """

    service_key = models.BigIntegerField(unique=True, help_text="0: what belongs to no service")
    refreshed_at = models.DateTimeField()
    latest_at = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True)
    tracked_since = models.DateTimeField(null=True)
    has_any = models.BooleanField(default=False)
    has_mapped = models.BooleanField(default=False)
    has_unmapped = models.BooleanField(default=False)
    size = models.PositiveIntegerField(default=0, help_text="deployments and promotions read")
    line: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, help_text="keys of its team and the teams above, to whose sums it was added"
    )
    made_by = models.CharField(max_length=60, help_text="version of the facts and reporting zone")

    def __str__(self) -> str:
        return f"service {self.service_key} as of {self.refreshed_at}"


class StaleService(models.Model):
    """Something of a service changed; written by triggers in the transaction that changed it.

    Only ever added to, so that no writer waits for another; `service_key` 0 is what belongs to
    no service, -1 every service, -2 which team a service or team belongs to.
    """

    service_key = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return f"service {self.service_key} changed"
