"""GET /api/v1/anomalies: what does not behave as it usually does."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from metrics.models import Anomaly
from promotion.api.fields import PersonSerializer, RowSerializer
from promotion.api.queries import ListQuery, choice, plain, text
from promotion.api.reads import RowList
from promotion.models import Token

STATES = ("open", "dismissed", "over")


class AnomalySerializer(RowSerializer[Anomaly]):
    """An anomaly: what was seen, by which rule, and what it was held against."""

    state = serializers.CharField(read_only=True, help_text="open, dismissed or over")
    service = serializers.CharField(source="service.slug", allow_null=True, default=None)
    environment = serializers.CharField(source="environment.slug", allow_null=True, default=None)
    sender = serializers.CharField(source="sender.slug", allow_null=True, default=None)
    promotion = serializers.CharField(source="promotion.number", allow_null=True, default=None)
    dismissed_by = PersonSerializer(allow_null=True)
    details = serializers.JSONField(
        help_text="value, baseline (n, centre, from, to) and limits (low, high), in `unit`"
    )

    class Meta:
        model = Anomaly
        fields = (
            *("id", "state", "measure", "rule", "service", "environment", "sender", "promotion"),
            *("sentence", "is_worse", "first_day", "last_day", "details", "definition", "rows"),
            *("opened_at", "closed_at", "dismissed_at", "dismissed_by", "dismissed_reason"),
        )


class AnomalyQuery(ListQuery):
    """Of anomalies."""

    service = text("service__slug", "of which service")
    measure = plain("name of a measure, e.g. first_pass, throughput or silence")
    rule = plain("name of a rule, e.g. outside, share or shift")
    state = choice(STATES)

    def fitting(self, rows: "QuerySet[Any]", lookups: dict[str, Any]) -> "QuerySet[Any]":
        """A state follows from the times."""
        state = lookups.pop("state", None)
        found = rows.filter(**lookups)
        if state == "dismissed":
            return found.exclude(dismissed_at=None)
        if state is not None:
            found = found.filter(dismissed_at=None, closed_at__isnull=state == "open")
        return found


class AnomalyList(RowList[Anomaly]):
    """The anomalies, the newest first."""

    operation = "list_anomalies"
    scope = Token.Scope.READ
    queryset = Anomaly.objects.for_display()
    serializer_class = AnomalySerializer
    query = AnomalyQuery
