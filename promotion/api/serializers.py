"""The nouns as the API shows them."""

from typing import Any

from rest_framework import serializers

from promotion.models import (
    Artifact,
    ArtifactTag,
    Build,
    Deployment,
    Environment,
    Event,
    Incident,
    Release,
    Service,
    Target,
)

from .fields import PersonSerializer, RowSerializer, UtcDateTimeField


class ServiceSerializer(RowSerializer[Service]):
    """A service and the version of its pipeline."""

    team = serializers.CharField(source="team.slug")
    artifacts = serializers.ListField(
        source="needed_artifacts",
        child=serializers.CharField(),
        help_text="names of the artifacts that make a release whole",
    )
    pipeline_version = serializers.IntegerField(
        allow_null=True, help_text="the newest; null where it has no pipeline"
    )

    class Meta:
        model = Service
        fields = ("slug", "team", "repository", "version_pattern", "artifacts", "pipeline_version")


class EnvironmentSerializer(RowSerializer[Environment]):
    """An environment and its targets."""

    targets = serializers.SlugRelatedField[Target](slug_field="name", many=True, read_only=True)

    class Meta:
        model = Environment
        fields = ("slug", "name", "tier", "rank", "watch_hours", "targets")


class TagSerializer(RowSerializer[ArtifactTag]):
    """A tag that was seen pointing at it, and when it was moved to another digest."""

    moved_at = UtcDateTimeField(allow_null=True, default=None)
    moved_to = serializers.CharField(allow_null=True, default=None)

    class Meta:
        model = ArtifactTag
        fields = ("repository", "tag", "seen_at", "is_from_registry", "moved_at", "moved_to")


class BuildSerializer(RowSerializer[Build]):
    """A CI run."""

    service = serializers.CharField(source="service.slug", allow_null=True, default=None)

    class Meta:
        model = Build
        fields: tuple[str, ...] = (
            "id",
            "source",
            "external_id",
            "repository",
            "service",
            "name",
            "commit",
            "version",
            "result",
            "started_at",
            "finished_at",
            "received_at",
            "actor",
            "url",
        )


class NamedReleaseSerializer(serializers.Serializer[Release]):
    """Which release it is."""

    id = serializers.IntegerField()
    service = serializers.CharField(source="service.slug")
    version = serializers.CharField()


class ArtifactSerializer(RowSerializer[Artifact]):
    """An artifact, the tags it was seen under, its builds and releases."""

    service = serializers.CharField(source="service.slug", allow_null=True, default=None)
    index = serializers.CharField(
        source="index.digest",
        allow_null=True,
        default=None,
        help_text="digest of the index this platform belongs to",
    )
    tags = TagSerializer(many=True)
    releases = NamedReleaseSerializer(many=True)

    class Meta:
        model = Artifact
        fields = (
            "digest",
            "name",
            "service",
            "media_type",
            "size",
            "index",
            "commit",
            "first_seen_at",
            "tags",
            "builds",
            "releases",
        )


class ReleaseSerializer(RowSerializer[Release]):
    """A release with its digests, and its veto where it has one."""

    service = serializers.CharField(source="service.slug")
    digests = serializers.ListField(child=serializers.CharField())
    is_vetoed = serializers.BooleanField()
    was_built_again = serializers.BooleanField(
        help_text="the version has several sets of digests: it was not built once"
    )
    vetoed_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Release
        fields = (
            "id",
            "service",
            "version",
            "commit",
            "created_at",
            "digests",
            "was_built_again",
            "is_vetoed",
            "vetoed_at",
            "vetoed_by",
            "veto_reason",
        )


class DeploymentSerializer(RowSerializer[Deployment]):
    """A deployment, and how its digest was found."""

    service = serializers.CharField(source="service.slug")
    environment = serializers.CharField(source="environment.slug")
    candidates = serializers.ListField(child=serializers.CharField())
    state = serializers.CharField(source="result")
    is_voided = serializers.BooleanField(help_text="declared wrong by a person")

    class Meta:
        model = Deployment
        fields: tuple[str, ...] = (
            "id",
            "source",
            "external_id",
            "service",
            "environment",
            "target",
            "digest",
            "version",
            "commit",
            "release",
            "promotion",
            "promotion_named",
            "found",
            "found_how",
            "candidates",
            "state",
            "started_at",
            "finished_at",
            "received_at",
            "mechanism",
            "kind",
            "is_planned",
            "strategy",
            "actor",
            "run_id",
            "url",
            "is_voided",
        )


class IncidentSerializer(RowSerializer[Incident]):
    """An incident and the deployment it is laid to."""

    service = serializers.CharField(source="service.slug", allow_null=True, default=None)
    environment = serializers.CharField(source="environment.slug", allow_null=True, default=None)
    is_voided = serializers.BooleanField(help_text="declared wrong by a person")

    class Meta:
        model = Incident
        fields = (
            "id",
            "source",
            "external_id",
            "service",
            "environment",
            "title",
            "severity",
            "opened_at",
            "resolved_at",
            "received_at",
            "deployment",
            "confidence",
            "named",
            "url",
            "is_voided",
        )


class OutcomeSerializer(serializers.Serializer[Any]):
    """What one fact of an event became."""

    kind = serializers.CharField()
    became = serializers.ChoiceField(choices=["created", "updated", "unchanged", "nothing"])
    label = serializers.CharField()  # type: ignore[assignment]  # the column's name
    object = serializers.CharField()
    pk = serializers.IntegerField(allow_null=True)
    note = serializers.CharField()
    fact = serializers.DictField()


class EventSerializer(RowSerializer[Event]):
    """An event without its bytes, and what it became."""

    sender = serializers.CharField(source="sender.slug", allow_null=True, default=None)
    outcome = OutcomeSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Event
        fields = (
            "id",
            "sender",
            "source",
            "delivery_id",
            "content_type",
            "received_at",
            "processed_at",
            "state",
            "summary",
            "outcome",
            "notes",
        )
