"""Teams, services, environments and their targets."""

import re
from datetime import timedelta
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models

name_validator = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$", "Use letters, digits, dots, dashes and underscores."
)


class Tier(models.TextChoices):
    """What an environment is for."""

    DEVELOPMENT = "development", "Development"
    TESTING = "testing", "Testing"
    STAGING = "staging", "Staging"
    PRODUCTION = "production", "Production"


class Team(models.Model):
    """Owns services; people belong to it with a role."""

    slug = models.CharField(max_length=100, unique=True, validators=[name_validator])
    name = models.CharField(max_length=200)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """What is deployed as one unit; has an owner team, a source repository and a pipeline."""

    slug = models.CharField(max_length=100, unique=True, validators=[name_validator])
    team = models.ForeignKey(Team, models.PROTECT, related_name="services")
    repository = models.CharField(
        max_length=300,
        blank=True,
        db_index=True,
        help_text="path without host, e.g. meridian/shipment-api",
    )
    repository_connection = models.ForeignKey(
        "promotion.Connection",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="where commits are fetched from",
    )
    version_pattern = models.CharField(
        max_length=300,
        default=r"^v?(\d+\.\d+\.\d+\S*)$",
        help_text="one group: the version in a tag",
    )
    artifact_names = models.JSONField(
        default=list,
        blank=True,
        help_text="the artifacts a release needs; empty = one, of the service's name",
    )

    build_name = models.CharField(
        max_length=200,
        blank=True,
        help_text="name of the CI job that builds it, where a commit starts several",
    )
    next_look_at = models.DateTimeField(
        null=True,
        blank=True,
        db_index=True,
        help_text="when automatic promotion is next worth judging",
    )

    class Meta:
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return self.slug

    @property
    def needed_artifacts(self) -> tuple[str, ...]:
        """Names (last part of the registry path) of the artifacts that make a release whole."""
        return tuple(self.artifact_names) or (self.slug,)

    def version_in(self, tag: str) -> str | None:
        """The version a tag says, None where the tag is none of a release."""
        match = re.search(self.version_pattern, tag)
        if not match:
            return None
        return match.group(1) if match.groups() else match.group(0)


class Environment(models.Model):
    """A named place services run in; its physical places are targets."""

    slug = models.CharField(max_length=100, unique=True, validators=[name_validator])
    name = models.CharField(max_length=200)
    tier = models.CharField(max_length=20, choices=Tier.choices)
    rank = models.PositiveSmallIntegerField(
        default=0, help_text="order of display, first to last stage"
    )
    watch_hours = models.PositiveSmallIntegerField(
        default=24, help_text="how long a deployment is watched"
    )

    class Meta:
        ordering: ClassVar = ["rank", "slug"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_production(self) -> bool:
        """True in the tier the measures speak of."""
        return self.tier == Tier.PRODUCTION

    @property
    def watch_window(self) -> timedelta:
        """W of the measures."""
        return timedelta(hours=self.watch_hours)


class Target(models.Model):
    """A physical place of an environment (eu-1, us-1)."""

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="targets")
    name = models.CharField(max_length=100, validators=[name_validator])

    class Meta:
        ordering: ClassVar = ["environment", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "name"], name="target_once")
        ]

    def __str__(self) -> str:
        return f"{self.environment.slug}/{self.name}"
