"""Having verified again what runs somewhere, and how that stands."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promotion import tasks
from promotion.actions.ask_reverification import ask_for_reverification
from promotion.models import Reverification, Token

from .asking import find_environment, find_service
from .authentication import person_of
from .fields import PersonSerializer, RowSerializer
from .parsing import BoundedJSONParser
from .promotion_rows import PromotedReleaseSerializer
from .promotions import read_body
from .reads import RowDetail
from .schema import problems


class ReverificationSerializer(RowSerializer[Reverification]):
    """One time that what runs is verified again."""

    service = serializers.CharField(source="service.slug")
    environment = serializers.CharField(source="environment.slug")
    release = PromotedReleaseSerializer()
    asked_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Reverification
        fields = (
            "id",
            "service",
            "environment",
            "release",
            "origin",
            "asked_by",
            "asked_at",
            "state",
            "message",
            "ended_at",
        )


class WhereSerializer(serializers.Serializer[Any]):
    """What is verified again: whatever runs there."""

    service = serializers.CharField(max_length=100)
    environment = serializers.CharField(max_length=100)


class Reverifications(APIView):
    """POST /api/v1/reverifications."""

    parser_classes = (BoundedJSONParser,)
    scope = Token.Scope.PROMOTE

    @extend_schema(
        operation_id="ask_for_reverification",
        request=WhereSerializer,
        responses={
            201: ReverificationSerializer,
            200: ReverificationSerializer,
            **problems(400, 409),
        },
    )
    def post(self, request: Request) -> Response:
        """Verify what runs there again: 201 where this began it, 200 with the one under way."""
        person = person_of(request)
        said = read_body(WhereSerializer, request)
        at = timezone.now()
        made = ask_for_reverification(
            find_service(said["service"]),
            find_environment(said["environment"]),
            person=person,
            at=at,
        )
        tasks.reverify.delay_on_commit(made.pk)
        return Response(
            ReverificationSerializer(made).data,
            status=201 if made.asked_at == at else 200,
            headers={"Location": f"/api/v1/reverifications/{made.pk}"},
        )


class ReverificationDetail(RowDetail[Reverification]):
    """How it stands, and what came of it."""

    operation = "read_reverification"
    queryset = Reverification.objects.select_related(
        "service", "environment", "release", "asked_by"
    ).prefetch_related("release__artifacts")
    serializer_class = ReverificationSerializer
