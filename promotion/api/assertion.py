"""GET /api/v1/assert: may this digest be in this environment? For a pipeline to stop on."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promotion.gates.digest_verdict import DigestVerdict, judge_digest

from .asking import find_environment, find_service
from .errors import TYPE, refuse
from .fields import DigestField, UtcDateTimeField
from .schema import ProblemSerializer, problems
from .serializers import NamedReleaseSerializer


class AssertQuery(serializers.Serializer[Any]):
    """What is asked."""

    digest = DigestField()
    environment = serializers.CharField(max_length=100)
    service = serializers.CharField(
        max_length=100, required=False, help_text="where several services have the digest"
    )


class ReleaseVerdictSerializer(serializers.Serializer[Any]):
    """How it stands as one release."""

    release = NamedReleaseSerializer()
    allowed = serializers.BooleanField()
    was_promoted = serializers.BooleanField()
    is_available = serializers.BooleanField(help_text="by the order of stages")
    earliest = UtcDateTimeField(allow_null=True, help_text="when it becomes available by itself")
    reasons = serializers.ListField(child=serializers.CharField())


class AssertionSerializer(serializers.Serializer[Any]):
    """The answer."""

    allowed = serializers.BooleanField()
    digest = serializers.CharField()
    environment = serializers.CharField()
    has_build = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())
    releases = ReleaseVerdictSerializer(many=True)


class RefusedAssertionSerializer(ProblemSerializer):
    """The same as a problem."""

    allowed = serializers.BooleanField()
    digest = serializers.CharField()
    environment = serializers.CharField()
    has_build = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())
    releases = ReleaseVerdictSerializer(many=True)


class Assert(APIView):
    """May this digest be in this environment?"""

    @extend_schema(
        operation_id="assert_digest",
        parameters=[
            AssertQuery,
            OpenApiParameter("digest", OpenApiTypes.STR, required=True, description="sha256:…"),
        ],
        responses={
            200: AssertionSerializer,
            **problems(400),
            (409, TYPE): OpenApiResponse(RefusedAssertionSerializer, description="Not allowed."),
        },
    )
    def get(self, request: Request) -> Response:
        """200 where it is allowed, 409 with the reasons where it is not.

        Allowed is what was promoted to the environment or is available to it by the order of
        stages, and is not vetoed. Approvals, windows and freezes hold promotions and are not asked.
        """
        query = AssertQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        said = query.validated_data
        environment = find_environment(said["environment"])
        service = find_service(said["service"]) if "service" in said else None
        verdict = judge_digest(said["digest"], environment, timezone.now(), service=service)
        body = AssertionSerializer(_tell(verdict, environment.slug)).data
        if verdict.allowed:
            return Response(body)
        return refuse(409, " ".join(verdict.reasons), **body)


def _tell(verdict: DigestVerdict, environment: str) -> dict[str, Any]:
    return {
        "allowed": verdict.allowed,
        "digest": verdict.digest,
        "environment": environment,
        "has_build": verdict.has_build,
        "reasons": verdict.reasons,
        "releases": verdict.releases,
    }
