"""GET /api/v1/trace/<digest>: from the commit to what was seen running, with times and how each was found."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promotion.integrity.digest_record import DigestRecord, read_digest
from promotion.integrity.record import read_record
from promotion.integrity.trace import trace_release
from promotion.models import (
    BuildArtifact,
    Commit,
    Environment,
    Evidence,
    Observation,
    Tier,
)

from .fields import RowSerializer
from .promotion_rows import ApprovalSerializer, PromotionSerializer
from .schema import problems
from .serializers import (
    ArtifactSerializer,
    BuildSerializer,
    DeploymentSerializer,
    ReleaseSerializer,
)


class CommitSerializer(RowSerializer[Commit]):
    """A commit as a push or a fetch told of it."""

    title = serializers.CharField()

    class Meta:
        model = Commit
        fields = ("repository", "sha", "author_name", "title", "committed_at")


class TracedBuildSerializer(BuildSerializer):
    """A build, and how it is known to have made the digest."""

    found = serializers.ChoiceField(choices=["stated", "inferred"])

    class Meta(BuildSerializer.Meta):
        fields = (*BuildSerializer.Meta.fields, "found")


class EvidenceSerializer(RowSerializer[Evidence]):
    """A statement about the digest."""

    class Meta:
        model = Evidence
        fields = (
            "type",
            "title",
            "digest",
            "result",
            "is_verified",
            "issued_at",
            "received_at",
            "url",
        )


class TracedPromotionSerializer(PromotionSerializer):
    """A promotion with its decisions."""

    approvals = ApprovalSerializer(many=True)

    class Meta(PromotionSerializer.Meta):
        fields = (*PromotionSerializer.Meta.fields, "approvals")


class TracedDeploymentSerializer(DeploymentSerializer):
    """A deployment; those declared wrong are left out of a trace."""

    is_voided = None  # type: ignore[assignment]  # takes the field away

    class Meta(DeploymentSerializer.Meta):
        fields = tuple(name for name in DeploymentSerializer.Meta.fields if name != "is_voided")


class ObservationSerializer(RowSerializer[Observation]):
    """What was seen, and when."""

    service = serializers.CharField(source="service.slug")
    environment = serializers.CharField(source="environment.slug")

    class Meta:
        model = Observation
        fields = ("service", "environment", "target", "digest", "seen_at", "received_at")


class LinkSerializer(serializers.Serializer[Any]):
    """One link of the line: there or missing."""

    name = serializers.CharField()
    is_there = serializers.BooleanField()
    sentence = serializers.CharField()
    url = serializers.CharField(allow_blank=True)


class TraceSerializer(serializers.Serializer[Any]):
    """The whole line; `links` judge the newest release of the digest."""

    digest = serializers.CharField()
    artifact = ArtifactSerializer(allow_null=True)
    commits = CommitSerializer(many=True)
    builds = TracedBuildSerializer(many=True)
    evidence = EvidenceSerializer(many=True)
    releases = ReleaseSerializer(many=True)
    promotions = TracedPromotionSerializer(many=True)
    deployments = TracedDeploymentSerializer(many=True)
    observations = ObservationSerializer(many=True)
    links = LinkSerializer(many=True)


class Trace(APIView):
    """The line of one digest."""

    @extend_schema(operation_id="trace_digest", responses={200: TraceSerializer, **problems(404)})
    def get(self, request: Request, digest: str) -> Response:
        """From the commit to what was seen running; a platform's digest is traced as its index."""
        record = read_digest(digest)
        if not record.is_known:
            raise Http404
        return Response(TraceSerializer(_tell(record)).data)


def _tell(record: DigestRecord) -> dict[str, Any]:
    return {
        "digest": record.digest,
        "artifact": record.artifact,
        "commits": record.commits,
        "builds": [_build(one) for one in record.builds],
        "evidence": record.evidence,
        "releases": record.releases,
        "promotions": record.promotions,
        "deployments": record.deployments,
        "observations": record.observations,
        "links": _links(record),
    }


def _build(made: BuildArtifact) -> Any:
    made.build.found = "stated" if made.is_stated else "inferred"  # type: ignore[attr-defined]
    return made.build


def _links(record: DigestRecord) -> Any:
    if not record.releases:
        return ()
    production = Environment.objects.filter(tier=Tier.PRODUCTION).values_list("slug", flat=True)
    return trace_release(read_record(record.releases[0]), production, timezone.now()).links
