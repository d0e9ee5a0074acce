"""A service's versioned definition of the way to production."""

import functools
from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from promotion.rules.pipeline import PipelineForm, read_pipeline

from .catalog import Service

# The texts never change, and a sweep reads the same few again and again.
read_once = functools.lru_cache(maxsize=1024)(read_pipeline)


class Pipeline(models.Model):
    """The pipeline of a service; its newest version counts."""

    service = models.OneToOneField(Service, models.PROTECT, related_name="pipeline")

    def __str__(self) -> str:
        return f"Pipeline of {self.service.slug}"

    @property
    def current(self) -> "PipelineVersion | None":
        """The newest version."""
        return self.versions.order_by("-number").first()


class PipelineVersionQuerySet(models.QuerySet["PipelineVersion"]):
    """Reads of pipeline versions."""

    def environments_of(self, services: Iterable[Service]) -> dict[int, frozenset[str]]:
        """For each service with a pipeline, the environments its newest version names; one query."""
        newest = self.filter(pipeline=models.OuterRef("pipeline")).order_by("-number")
        rows = self.filter(
            pipeline__service__in=[service.pk for service in services],
            pk=models.Subquery(newest.values("pk")[:1]),
        ).values_list("pipeline__service", "document__stages")
        return {
            service: frozenset(stage["environment"] for stage in stages or ())
            for service, stages in rows
        }


class PipelineVersion(models.Model):
    """One applied YAML text; never changed."""

    pipeline = models.ForeignKey(Pipeline, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField(help_text="the YAML as applied")
    document: "models.JSONField[Any, Any]" = models.JSONField(
        help_text="its normal form, defaults filled in"
    )
    applied_at = models.DateTimeField()
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True, help_text="why it was applied")

    objects = PipelineVersionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pipeline", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pipeline", "number"], name="pipeline_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.pipeline.service.slug} pipeline version {self.number}"

    @property
    def form(self) -> PipelineForm:
        """The text read into plain data."""
        return read_once(self.text)
