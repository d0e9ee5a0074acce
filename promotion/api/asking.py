"""What a request for a promotion says, and which release it means."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from promotion.exceptions import ConflictError, InputError
from promotion.models import Environment, Promotion, Release, Service
from promotion.models.artifact import ReleaseQuerySet

from .fields import DigestField, UtcDateTimeField

MOST_NAMED = 10
LONGEST_KEY = 18  # digits of a key the database can hold


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}]})
class VersionOrIdField(serializers.Field[Any, Any, Any, Any]):
    """A version as text, or a release's id as number or text."""

    default_error_messages = {  # noqa: RUF012  the framework's own form
        "invalid": "Give a version as text, or the id of a release."
    }

    def to_internal_value(self, data: Any) -> str | int:
        """As it was given."""
        if isinstance(data, int) and not isinstance(data, bool):
            return data
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = serializers.CharField(max_length=200).run_validation(data)
        return text


class FieldsField(serializers.DictField):
    """What the stage asks for: names and texts."""

    child = serializers.CharField(max_length=5000, allow_blank=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The names must be storable, too."""
        for name in data if isinstance(data, dict) else ():
            serializers.CharField(max_length=100).run_validation(name)
        return super().to_internal_value(data)


class AskSerializer(serializers.Serializer[Any]):
    """A request to bring a release into an environment."""

    service = serializers.CharField(max_length=100)
    release = VersionOrIdField(
        required=False, help_text="its version or id; may be left out where `digest` names it"
    )
    digest = DigestField(
        required=False, help_text="of an artifact of the release, where a version has several sets"
    )
    environment = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(
        choices=[(one.value, one.label) for one in (Promotion.Kind.NORMAL, Promotion.Kind.HOTFIX)],
        default=Promotion.Kind.NORMAL,
        help_text="a hotfix passes the same gates; it counts against the deployment it mends",
    )
    # Not a field called `fields`: that name belongs to the serializer.
    not_before = UtcDateTimeField(
        required=False, allow_null=True, help_text="does not start earlier"
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The declared ones, and `fields`, whose name the class itself uses."""
        answers = FieldsField(required=False, help_text="what the stage asks for, by name")
        return {**super().get_fields(), "fields": answers}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two must name the release."""
        if attrs.get("release") is None and "digest" not in attrs:
            raise serializers.ValidationError({"release": "Name a version, an id, or a digest."})
        return attrs


class SeveralReleasesError(ConflictError):
    """What was given names several releases; `more` goes with the answer."""

    def __init__(self, sentence: str, releases: list[Release]) -> None:
        super().__init__(sentence)
        self.more = {
            "candidates": [
                {"id": one.pk, "version": one.version, "digests": list(one.digests)}
                for one in releases
            ]
        }


def find_service(slug: str) -> Service:
    """The service; InputError where there is none."""
    found = Service.objects.select_related("team").filter(slug=slug).first()
    if found is None:
        raise InputError(f"There is no service {slug!r}. Nothing was changed.", key="service")
    return found


def find_environment(slug: str) -> Environment:
    """The environment; InputError where there is none."""
    found = Environment.objects.filter(slug=slug).first()
    if found is None:
        raise InputError(
            f"There is no environment {slug!r}. Nothing was changed.", key="environment"
        )
    return found


def find_release(service: Service, said: str | int | None, digest: str = "") -> Release:
    """The one release meant; InputError where there is none, SeveralReleasesError where several are."""
    rows = (
        Release.objects.filter(service=service)
        .select_related("service")
        .prefetch_related("artifacts")
    )
    if digest:
        rows = rows.filter(artifacts__digest=digest)
    found = list((_named(rows, said) if said is not None else rows).newest_first()[:MOST_NAMED])
    if not found:
        named = f"{said}" if said is not None else digest
        with_digest = f" with the digest {digest}" if digest and said is not None else ""
        raise InputError(
            f"{service.slug} has no release {named}{with_digest}. Nothing was asked for.",
            key="release" if said is not None else "digest",
        )
    if len(found) > 1:
        sets = "; ".join(f"{one.version}: {', '.join(one.digests)}" for one in found)
        raise SeveralReleasesError(
            f"This names {len(found)} releases of {service.slug} ({sets}). Nothing was asked for."
            " Say which one by its id or by `digest`.",
            found,
        )
    return found[0]


def _named(rows: ReleaseQuerySet, said: str | int) -> ReleaseQuerySet:
    """By its version; a text of digits is an id only where no version is called so."""
    if isinstance(said, int):
        return rows.filter(pk=said)
    by_version = rows.filter(version=said)
    is_key = said.isascii() and said.isdecimal() and len(said) <= LONGEST_KEY
    return rows.filter(pk=int(said)) if is_key and not by_version.exists() else by_version
