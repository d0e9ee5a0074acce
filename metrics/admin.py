"""Targets and assessments for administrators; what is on record is read, not edited."""

from django.contrib import admin
from django.http import HttpRequest

from metrics.models import Assessment, MeasureTarget


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Changes go through the pages, so that each is in the audit log."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        """Never here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        """Never here."""
        return False


@admin.register(MeasureTarget)
class MeasureTargetAdmin(ReadOnlyAdmin):
    """Targets as they were set."""

    list_display = ("measure", "team", "service", "value", "set_by", "set_at")
    list_filter = ("measure",)


@admin.register(Assessment)
class AssessmentAdmin(ReadOnlyAdmin):
    """Assessments and their states."""

    list_display = ("team", "cycle", "state", "submitted_by", "agreed_by", "agreed_at")
    list_filter = ("state", "cycle")
