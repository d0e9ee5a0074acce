"""A promotion, its decisions and its history as the API shows them."""

from django.db.models import QuerySet
from rest_framework import serializers

from promotion.models import Approval, Promotion, StepRun, Transition

from .fields import PersonSerializer, RowSerializer
from .serializers import NamedReleaseSerializer


def promotions() -> "QuerySet[Promotion]":
    """With all that the serializer names of each."""
    return (
        Promotion.objects.for_display()
        .select_related("action_owner")
        .prefetch_related("release__artifacts")
    )


class PromotedReleaseSerializer(NamedReleaseSerializer):
    """Which release it brings, by digest."""

    digests = serializers.ListField(child=serializers.CharField())


class PromotionSerializer(RowSerializer[Promotion]):
    """A promotion; `content_hash` is what an approval must name."""

    number = serializers.CharField(help_text="P-2318")
    service = serializers.CharField(source="service.slug")
    environment = serializers.CharField(source="environment.slug")
    release = PromotedReleaseSerializer()
    requested_by = PersonSerializer(allow_null=True)
    pipeline_version = serializers.IntegerField(source="pipeline_version.number")
    fields_given = serializers.DictField(
        source="fields", help_text="what the stage asks for, as answered"
    )
    content = serializers.DictField(help_text="what the content hash is over")
    action_owner = PersonSerializer(allow_null=True)

    class Meta:
        model = Promotion
        fields: tuple[str, ...] = (
            "id",
            "number",
            "service",
            "environment",
            "stage",
            "release",
            "kind",
            "state",
            "reason",
            "origin",
            "requested_by",
            "fields_given",
            "pipeline_version",
            "content",
            "content_hash",
            "mechanism",
            "undoes",
            "retry_of",
            "attempt",
            "asked_at",
            "expires_at",
            "not_before",
            "started_at",
            "ended_at",
            "stop_requested_at",
            "stop_then",
            "glass_broken_at",
            "cause",
            "cause_words",
            "action",
            "action_owner",
            "action_due",
            "action_url",
            "action_done_at",
        )


class TransitionSerializer(RowSerializer[Transition]):
    """One move."""

    actor = PersonSerializer(allow_null=True)

    class Meta:
        model = Transition
        fields = ("from_state", "to_state", "reason", "actor", "at")


class ApprovalSerializer(RowSerializer[Approval]):
    """One person's decision, and whether a token carried it."""

    person = PersonSerializer()
    by_token = serializers.SerializerMethodField()

    class Meta:
        model = Approval
        fields = (
            "person",
            "decision",
            "comment",
            "content_hash",
            "let_in_by",
            "by_token",
            "at",
        )

    def get_by_token(self, approval: Approval) -> bool:
        """A person may decide through a token of theirs."""
        return approval.token_id is not None


class StepSerializer(RowSerializer[StepRun]):
    """One attempt at a step."""

    targets = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = StepRun
        fields = (
            "position",
            "wave",
            "kind",
            "targets",
            "attempt",
            "state",
            "message",
            "progress",
            "started_at",
            "finished_at",
        )


class PromotionDetailSerializer(PromotionSerializer):
    """The same with its history."""

    transitions = TransitionSerializer(many=True)
    approvals = ApprovalSerializer(many=True)

    class Meta(PromotionSerializer.Meta):
        fields = (*PromotionSerializer.Meta.fields, "transitions", "approvals")
