"""Fields that all serializers share: times are RFC 3339 in UTC, whoever asks."""

from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.utils import timezone
from rest_framework import serializers

Row = TypeVar("Row", bound=models.Model)


class UtcDateTimeField(serializers.DateTimeField):
    """Says UTC whatever zone the person reads pages in, and takes no time without its zone."""

    default_error_messages: ClassVar = {
        "zone": "A time needs its zone: end it with Z or an offset such as +01:00."
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)

    def enforce_timezone(self, value: datetime) -> datetime:
        """In UTC; a time that does not say its zone could be any of many."""
        if timezone.is_naive(value):
            self.fail("zone")
        return super().enforce_timezone(value)


class DigestField(serializers.RegexField):
    """sha256: and 64 hexadecimal digits, kept in small letters."""

    default_error_messages: ClassVar = {"invalid": "A digest is sha256: and 64 hexadecimal digits."}

    def __init__(self, **options: Any) -> None:
        super().__init__(r"^(?i:sha256:[0-9a-f]{64})\Z", **options)

    def to_internal_value(self, data: Any) -> str:
        """In small letters."""
        return super().to_internal_value(data).lower()


class RowSerializer(serializers.ModelSerializer[Row]):
    """A row as the API shows it."""

    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: UtcDateTimeField,
    }


class PersonSerializer(serializers.Serializer[Any]):
    """Whose act it was."""

    username = serializers.CharField()
    name = serializers.CharField()
