"""Freezes, locks and holds as the API shows and takes them."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework import serializers

from promotion.models import Freeze, Hold, Lock, Tier

from .fields import PersonSerializer, RowSerializer, UtcDateTimeField
from .queries import ListQuery, text


class FreezeSerializer(RowSerializer[Freeze]):
    """A freeze; with no scope given it holds everything."""

    environment = serializers.CharField(source="environment.slug", allow_null=True, default=None)
    team = serializers.CharField(source="team.slug", allow_null=True, default=None)
    service = serializers.CharField(source="service.slug", allow_null=True, default=None)
    created_by = PersonSerializer()
    lifted_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Freeze
        fields = (
            "id",
            "tier",
            "environment",
            "team",
            "service",
            "reason",
            "incident",
            "starts_at",
            "ends_at",
            "created_by",
            "lifted_at",
            "lifted_by",
        )


class NewFreezeSerializer(serializers.Serializer[Any]):
    """What is frozen: one of tier, environment, team and service, or everything where none is given."""

    tier = serializers.ChoiceField(choices=Tier.choices, required=False)
    environment = serializers.CharField(max_length=100, required=False)
    team = serializers.CharField(max_length=100, required=False)
    service = serializers.CharField(max_length=100, required=False)
    reason = serializers.CharField(max_length=500)
    ends_at = UtcDateTimeField(required=False, allow_null=True)
    incident = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2**63 - 1
    )


class LockSerializer(RowSerializer[Lock]):
    """A lock of an environment, for one service or for all."""

    environment = serializers.CharField(source="environment.slug")
    service = serializers.CharField(source="service.slug", allow_null=True, default=None)
    created_by = PersonSerializer()
    released_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Lock
        fields = (
            "id",
            "environment",
            "service",
            "reason",
            "created_by",
            "created_at",
            "ends_at",
            "released_at",
            "released_by",
        )


class NewLockSerializer(serializers.Serializer[Any]):
    """What is locked, and why."""

    environment = serializers.CharField(max_length=100)
    service = serializers.CharField(max_length=100, required=False, help_text="all without it")
    reason = serializers.CharField(max_length=500)
    ends_at = UtcDateTimeField(required=False, allow_null=True)


class HoldSerializer(RowSerializer[Hold]):
    """Automatic promotion of a service into an environment stands still."""

    service = serializers.CharField(source="service.slug")
    environment = serializers.CharField(source="environment.slug")
    made_by = serializers.CharField(source="made_by.number", help_text="the promotion")
    ended_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Hold
        fields = (
            "id",
            "service",
            "environment",
            "made_by",
            "made_at",
            "ended_at",
            "ended_by",
            "ended_because",
        )


class ReasonSerializer(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=500)


class HeldQuery(ListQuery):
    """Of what holds a service or an environment."""

    service = text("service__slug", "what it holds")
    environment = text("environment__slug", "where")
    in_force = serializers.BooleanField(required=False, help_text="true: only what holds now")

    def fitting(self, rows: "QuerySet[Any]", lookups: dict[str, Any]) -> "QuerySet[Any]":
        """What is over has an end that is past, or was ended by a person."""
        wanted = lookups.pop("in_force", None)
        found = rows.filter(**lookups)
        return found if wanted is None else _in_force(found, wanted)


def _in_force(rows: "QuerySet[Any]", wanted: bool) -> "QuerySet[Any]":
    at = timezone.now()
    if rows.model is Hold:
        return rows.filter(ended_at__isnull=wanted)
    ended_by_hand = "lifted_at" if rows.model is Freeze else "released_at"
    holds = Q(**{f"{ended_by_hand}__isnull": True}) & (Q(ends_at=None) | Q(ends_at__gt=at))
    if rows.model is Freeze:
        holds &= Q(starts_at__lte=at)
    return rows.filter(holds) if wanted else rows.exclude(holds)


def freezes() -> "QuerySet[Freeze]":
    """With all that the serializer names of each."""
    return Freeze.objects.select_related(
        "environment", "team", "service", "created_by", "lifted_by"
    )


def locks() -> "QuerySet[Lock]":
    """With all that the serializer names of each."""
    return Lock.objects.select_related("environment", "service", "created_by", "released_by")


def holds() -> "QuerySet[Hold]":
    """With all that the serializer names of each."""
    return Hold.objects.select_related("service", "environment", "made_by", "ended_by")
